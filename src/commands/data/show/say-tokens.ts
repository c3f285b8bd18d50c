/** Tokens as text: brackets say what a token is, colours say it once more. */
import pc from 'picocolors'
import type { TokenPiece } from '../../../inspect/token-view.js'
import { printable } from '../../../show/printable.js'
import { amount, count } from '../../../show/units.js'
import type { ShowResult } from './data-show.js'

type Kind = TokenPiece['role'] | 'merged'

const BRACKETS: Record<Kind, readonly [open: string, close: string]> = {
  prompt: ['(', ')'],
  context: ['(', ')'],
  answer: ['[', ']'],
  end: ['<', '>'],
  merged: ['{', '}'],
}

const LEGEND =
  '(not trained on)  [trained on]  <end token, trained on>  {begins in the prompt, trained on}  ⏎ newline  · space'

/** The lines of one row; `colored` for a terminal. */
export function tokenLines({ example, view, tokenizer, template }: ShowResult, colored: boolean): string[] {
  const colors = pc.createColors(colored)
  const paint: Record<Kind, (text: string) => string> = {
    prompt: colors.dim,
    context: colors.cyan,
    answer: colors.green,
    end: colors.magenta,
    merged: colors.yellow,
  }
  const line = (pieces: readonly TokenPiece[]) =>
    pieces
      .map(({ text, role, merged }) => {
        const kind = merged ? 'merged' : role
        const [open, close] = BRACKETS[kind]
        // A line break in the text is one on the screen.
        return paint[kind](`${open}${visible(text)}${close}`) + (text.endsWith('\n') ? '\n' : '')
      })
      .join('')
      .replace(/\n+$/, '')
  const { file, row, id, source } = example
  const cut = view.promptCut > 0 ? `, ${count(view.promptCut)} before them are cut` : ''
  return [
    printable(`${file}:${row}  id ${id}  source ${source}`),
    printable(`tokenizer ${tokenizer}  chat template ${template}`),
    LEGEND,
    '',
    colors.bold(`prompt  ${amount(view.prompt.length, 'token')}, shared by the answers${cut}`),
    line(view.prompt),
    ...view.answers.flatMap((answer, i) => [
      '',
      colors.bold(`answer ${i + 1}${labelOf(example, i)}  ${tokensOf(answer)}`),
      line(answer.pieces),
    ]),
  ]
}

function tokensOf({ pieces, scored, truncated, ended }: ShowResult['view']['answers'][number]): string {
  const merged = pieces.some((piece) => piece.merged)
  return [
    `${amount(pieces.length, 'token')}, ${count(scored)} trained on`,
    ...(pieces.length > scored ? [`${count(pieces.length - scored)} of the prompt`] : []),
    ...(merged ? ['the first begins in the prompt'] : []),
    ...(truncated ? ['cut: its end is missing'] : []),
    ended ? 'with end token' : 'without end token',
  ].join(', ')
}

function labelOf({ candidates, preferences }: ShowResult['example'], i: number): string {
  const { desirable } = candidates[i]
  const isBetter = preferences.some(({ better }) => better === i)
  const isWorse = preferences.some(({ worse }) => worse === i)
  const words = [
    ...(isBetter && !isWorse ? ['better'] : isWorse && !isBetter ? ['worse'] : []),
    ...(desirable === undefined ? [] : [desirable ? 'desirable' : 'undesirable']),
  ]
  return words.length === 0 ? '' : ` (${words.join(', ')})`
}

/** Spaces and newlines can be seen; a newline stays one, outside the token's own text. */
const visible = (text: string): string =>
  text === ''
    ? '…'
    : printable(text.replaceAll('\r', '␍')).replaceAll(' ', '·').replaceAll('\t', '⇥').replaceAll('\n', '⏎')
