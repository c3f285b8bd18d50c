/** Text from a model or a file, made safe for a terminal: what would move the cursor or reorder letters is shown. */

// C0 without tab and newline, DEL and C1, bidirectional controls, line separators, zero-width marks, lone surrogates.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu

/** Shows control characters as `\x1b` or `\u202e`; keeps tabs and newlines. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    if (character === '\r') return '\\r'
    const code = character.codePointAt(0)!
    return code < 256
      ? `\\x${code.toString(16).padStart(2, '0')}`
      : `\\u${code.toString(16).padStart(4, '0')}`
  })
}

/** As `printable`, on one line and not longer than `width` columns. */
export function oneLine(text: string, width = 100): string {
  const flat = printable(text.replace(/\r?\n/g, '\\n').replace(/\t/g, ' '))
  if (displayWidth(flat) <= width) return flat
  let cut = ''
  let used = 0
  for (const character of flat) {
    used += displayWidth(character)
    if (used > width - 1) break
    cut += character
  }
  return `${cut}…`
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const NO_WIDTH = /\p{Mark}|\u200d|\u200b|\ufe0f/u

/** Columns that a text takes on a terminal. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += NO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1
  return width
}

/** Lines that hold a command are left to the terminal: a line end in them would be pasted along. */
const COMMAND = /(^|\s)(\.\/clha|clha|npx|npm|pip) /

/** Lines broken between words where they are wider than the terminal; what goes on stands two columns to the right of its line. */
export function wrapped(text: string, columns: number): string {
  return text
    .split('\n')
    .map((line) => (displayWidth(line) <= columns || COMMAND.test(line) ? line : wrappedLine(line, columns)))
    .join('\n')
}

function wrappedLine(line: string, columns: number): string {
  const [words, indent] = [line.match(/\s*\S+/g) ?? [], `${line.match(/^\s*/)?.[0] ?? ''}  `]
  const lines = ['']
  for (const word of words) {
    const last = lines[lines.length - 1]
    if (last === '' || displayWidth(last + word) <= columns) lines[lines.length - 1] += word
    else lines.push(indent + word.trimStart())
  }
  return lines.join('\n')
}
