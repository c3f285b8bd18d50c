/** Counts of n-grams: what BLEU, distinct-n and repetition are made of. */

/** How often each run of n tokens occurs. */
export function countNgrams(tokens: readonly string[], n: number): Map<string, number> {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= tokens.length; i++) {
    // Joined by a character that no tokenizer here leaves inside a token of length > 1.
    const key = n === 1 ? tokens[i] : tokens.slice(i, i + n).join('\u0000')
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

/** Python's white space (str.split): wider than JavaScript's by four separators and U+0085, without U+FEFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: Python splits at these control characters
const SPACE = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u

/** Words as Python's `str.split()` gives them. */
export function splitWords(text: string): string[] {
  return text.split(SPACE).filter((word) => word !== '')
}
