/** What a model says, shown while it speaks. */
import type { Ui } from './ui.js'

/** Text as it comes, without the white space before its first word. */
export function streamed(ui: Ui): (request: number, piece: string) => void {
  let begun = false
  return (_, piece) => {
    const text = begun ? piece : piece.trimStart()
    begun ||= text !== ''
    if (text !== '') ui.write(text)
  }
}
