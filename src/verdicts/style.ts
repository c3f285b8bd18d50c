/** What pleases in an answer besides what it says: its length and its looks. */

export const STYLES = ['length', 'lists', 'headers', 'bold'] as const

export type Style = (typeof STYLES)[number]

const COUNTS: Record<Style, (text: string) => number> = {
  length: (text) => [...text].length,
  lists: (text) => text.match(/^\s*(?:[-*+]|\d+[.)])\s+\S/gm)?.length ?? 0,
  headers: (text) => text.match(/^#{1,6}\s+\S/gm)?.length ?? 0,
  bold: (text) => text.match(/\*\*[^*\n]+\*\*|__[^_\n]+__/g)?.length ?? 0,
}

/**
 * (x_a - x_b) / (x_a + x_b) of each style, in units of its root mean square over the rows; 0 where neither has any. The
 * mean is not taken out: a difference of 0 has to stay 0.
 * @param pairs texts of the two answers of each row
 */
export function styleTerms(
  pairs: readonly (readonly [a: string, b: string])[],
  styles: readonly Style[],
): number[][] {
  const columns = styles.map((style) => {
    const raw = pairs.map(([a, b]) => {
      const [x, y] = [COUNTS[style](a), COUNTS[style](b)]
      return x + y > 0 ? (x - y) / (x + y) : 0
    })
    const size = Math.sqrt(raw.reduce((sum, d) => sum + d * d, 0) / Math.max(1, raw.length))
    return raw.map((d) => (size > 0 ? d / size : 0))
  })
  return pairs.map((_, i) => columns.map((column) => column[i]))
}
