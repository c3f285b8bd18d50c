/** A tokenised text: its ids, and where its tokens stand in it. */

export interface TokenizedText {
  ids: number[]
  /** Where each token starts in the text, in UTF-16 units. Made when first asked for. */
  readonly starts: number[]
  /** Where each token ends (exclusive), in UTF-16 units. Tokens of one split character all end where it ends. */
  readonly ends: number[]
  /** How many leading tokens end at or before `at` (UTF-16 units), and whether the next one starts before it. */
  boundary(at: number): { ended: number; straddles: boolean }
}

const SURROGATE = /[\ud800-\udfff]/

/** Of the tokenizers library what is used here; its own declarations do not compile everywhere. */
interface Encoding {
  getIds(): number[]
  /** Of each token, in code points. */
  getOffsets(): number[][]
  tokenToChars(token: number): number[] | undefined | null
}

/** The library counts code points; all offsets out of here are UTF-16 units of `text`. */
export function toTokenizedText(encoding: Encoding, text: string): TokenizedText {
  const ids = encoding.getIds()
  // Code points and UTF-16 units are the same where there are no surrogate pairs.
  const units = SURROGATE.test(text) ? utf16Offsets(text) : undefined
  const toUnits = (offset: number) => (units ? units[offset] : offset)
  let offsets: number[][] | undefined
  const all = () => {
    offsets ??= encoding.getOffsets().map((pair) => pair.map(toUnits))
    return offsets
  }
  // All offsets of a text take longer to fetch than its ids; the boundary needs a few of them.
  const span = (token: number) => (encoding.tokenToChars(token) ?? [0, 0]).map(toUnits)
  return {
    ids,
    get starts() {
      return all().map(([start]) => start)
    },
    get ends() {
      return all().map(([, end]) => end)
    },
    boundary(at) {
      let low = 0
      let high = ids.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (span(middle)[1] <= at) low = middle + 1
        else high = middle
      }
      return { ended: low, straddles: low < ids.length && span(low)[0] < at }
    },
  }
}

/** Code-point offset -> UTF-16 offset, for 0 .. number of code points. */
function utf16Offsets(text: string): number[] {
  const units = [0]
  let at = 0
  for (const char of text) {
    at += char.length
    units.push(at)
  }
  return units
}
