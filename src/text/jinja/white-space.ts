/** Python's white space: JavaScript's `trim` takes the byte-order mark and leaves U+001C … U+001F and U+0085. */

/** For a character class of a regular expression. */
export const SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const ONE = new RegExp(`[${SPACE}]`)

/** Python's `str.strip`, `lstrip` and `rstrip`: white space, or any of the given characters. */
export function pythonStrip(text: string, side: 'strip' | 'lstrip' | 'rstrip', chars?: string): string {
  if (chars !== undefined) return stripPoints(text, side, new Set(chars))
  let from = 0
  let to = text.length
  if (side !== 'rstrip') while (from < to && ONE.test(text[from])) from++
  if (side !== 'lstrip') while (to > from && ONE.test(text[to - 1])) to--
  return text.slice(from, to)
}

function stripPoints(text: string, side: 'strip' | 'lstrip' | 'rstrip', chars: ReadonlySet<string>): string {
  const points = [...text]
  let from = 0
  let to = points.length
  if (side !== 'rstrip') while (from < to && chars.has(points[from])) from++
  if (side !== 'lstrip') while (to > from && chars.has(points[to - 1])) to--
  return points.slice(from, to).join('')
}
