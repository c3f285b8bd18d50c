/** Makes text from models and data files harmless: visible controls, no markup, no reordering of a line. */

import { amount } from '../../show/units.js'

// Controls but tab and newline, soft hyphen, bidirectional controls, zero-width and other format characters, lone surrogates.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these characters are what is being removed
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\p{Cs}]|[\u{e0000}-\u{e007f}]/gu

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Characters that show nothing or reorder a line become their code point in brackets, e.g. `[U+202E]`. */
export function visible(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(HIDDEN, (c) => `[U+${c.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`)
}

/** Text for HTML content and quoted attributes. */
export function escapeHtml(text: string): string {
  return visible(text).replace(/[&<>"']/g, (c) => ENTITIES[c])
}

/** Text for one line of Markdown or one table cell. */
export function escapeMarkdown(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]<>#|!&~]/g, (c) => `\\${c}`)
    .replace(/\s*\n\s*/g, ' ')
}

/** Text as a fenced block that it cannot close. */
export function fencedMarkdown(text: string): string {
  const clean = visible(text)
  const longest = Math.max(2, ...(clean.match(/`+/g) ?? []).map((run) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${clean}\n${fence}`
}

/** At most `limit` characters (code points), and a remark that says how many are left out. */
export function shorten(text: string, limit: number): { text: string; remark?: string } {
  const points = [...text]
  if (points.length <= limit) return { text }
  return {
    text: `${points.slice(0, limit).join('')} …`,
    remark: `${amount(points.length - limit, 'more character')} in report.json`,
  }
}
