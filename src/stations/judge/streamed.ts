/** An answer on the terminal while it is written. */
import type { Ui } from '../../terminal/ui.js'

/** Text as it comes, without the white space before its first word. */
export function streamed(ui: Ui): (request: number, piece: string) => void {
  let begun = false
  return (_, piece) => {
    const text = begun ? piece : piece.trimStart()
    begun ||= text !== ''
    if (text !== '') ui.write(text)
  }
}
