import type { Example } from '../data/example.js'
import { withMarker } from '../load/answering-template.js'
import type { RankedList } from '../rescore/ranked.js'
import type { ChatTemplate } from '../text/template.js'

export interface Sequence {
  example: Example
  weight: number
}

/** The sequences of a list, as literal text with one answer each. */
export function hindsight(
  list: RankedList,
  pairs: readonly { better: number; worse: number; weight: number }[],
  template: ChatTemplate,
  markers: { positive: string; negative: string },
): Sequence[] {
  const { example } = list
  const [good, bad] = [markers.positive, markers.negative].map((marker) => withMarker(template, marker))
  return pairs
    .filter(({ weight }) => weight > 0)
    .flatMap(({ better, worse, weight }, k) => {
      const prompt = template.prompt(example.prompt)
      const told = (side: ChatTemplate, index: number) => {
        const answer = side.answer(example.candidates[index].text, example.prompt)
        return { answer, marker: side.prompt(example.prompt).slice(prompt.length) }
      }
      const [up, down] = [told(good, better), told(bad, worse)]
      const forms: [string, string, number][] = [
        [prompt + up.marker, up.answer, 2],
        [prompt + down.marker, down.answer, 2],
        [prompt + down.marker + down.answer + up.marker, up.answer, 1],
        [prompt + up.marker + up.answer + down.marker, down.answer, 1],
      ]
      return forms.map(([before, answer, times], form) => ({
        weight: weight * times,
        example: {
          ...example,
          id: `${example.id}#${k}.${form}`,
          prompt: before,
          candidates: [{ text: answer }],
          preferences: [],
        },
      }))
    })
}
