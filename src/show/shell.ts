/** Commands for people to paste: whatever a file is called, it stays one word of the shell. */
import { printable } from './printable.js'

const PLAIN = /^[\w./:@%+,][\w./:@%+,=-]*$/

/**
 * A text as one word for a POSIX shell, between single quotes where it needs them. One that can't be shown as it is
 * (control and reordering characters) becomes the placeholder.
 */
export function shellWord(text: string, placeholder: string): string {
  if (PLAIN.test(text)) return text
  if (printable(text) !== text || /[\t\n]/.test(text)) return placeholder
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A path as a word; one that starts with `-` is no option. */
export const shellPath = (path: string): string =>
  shellWord(path.startsWith('-') ? `./${path}` : path, 'PATH')

/** Python source as a command. @param python the interpreter's name */
export const pythonCommand = (source: string, python = 'python3'): string =>
  `${python} -c ${shellWord(source, "'…'")}`

/** A text as a Python literal that a terminal shows as it is: JSON's escapes are Python's too. */
export const pythonText = (text: string): string => printable(JSON.stringify(text))
