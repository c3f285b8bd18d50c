/** Colours that hold at least 3 : 1 on white and on near-black, and the marks that go with them. */

/** Text, axis and grid colours; `style.ts` sharpens them per theme. */
export const INK = { text: '#757b86', axis: '#8b919b', grid: '#9aa0aa' } as const

/** Blue, orange, green, purple, grey-brown, cyan: told apart by most colour-blind readers, and by mark and dash. */
export const COLOURS = ['#3f82d2', '#c8741a', '#3a9467', '#9a6cc9', '#8a7f74', '#2293a3'] as const

export const DASHES = ['solid', [6, 4], [2, 3], [10, 3, 2, 3], [14, 4], [4, 2]] as const
export const MARKS = ['circle', 'diamond', 'triangle', 'arrow', 'rect', 'roundRect'] as const

export interface Ink {
  colour: string
  dash: 'solid' | number[]
  mark: string
}

/** The look of the k-th series; repeats after six. */
export const inkOf = (k: number): Ink => {
  const dash = DASHES[k % DASHES.length]
  return {
    colour: COLOURS[k % COLOURS.length],
    dash: dash === 'solid' ? dash : [...dash],
    mark: MARKS[k % MARKS.length],
  }
}

/** Systems keep their look in every chart: the aligned model is blue, the start model grey-brown. */
export function systemInk(system: string, k: number): Ink {
  const fixed = { start: 4, sft: 1, clha: 0 }[system]
  return inkOf(fixed ?? [2, 3, 5][k % 3])
}
