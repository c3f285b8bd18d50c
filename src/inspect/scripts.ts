/** Which writing systems a text uses: a hint at its language, not the language. Latin letters may be any of hundreds. */

/** First and last code point of the blocks that hold nearly all letters of a script. */
const BLOCKS: readonly (readonly [first: number, last: number, script: string])[] = [
  [0x41, 0x5a, 'Latin'],
  [0x61, 0x7a, 'Latin'],
  [0xc0, 0x24f, 'Latin'],
  [0x370, 0x3ff, 'Greek'],
  [0x400, 0x52f, 'Cyrillic'],
  [0x530, 0x58f, 'Armenian'],
  [0x5d0, 0x5ea, 'Hebrew'],
  [0x620, 0x6ff, 'Arabic'],
  [0x750, 0x77f, 'Arabic'],
  [0x900, 0x97f, 'Devanagari'],
  [0x980, 0x9ff, 'Bengali'],
  [0xa00, 0xa7f, 'Gurmukhi'],
  [0xa80, 0xaff, 'Gujarati'],
  [0xb80, 0xbff, 'Tamil'],
  [0xc00, 0xc7f, 'Telugu'],
  [0xc80, 0xcff, 'Kannada'],
  [0xd00, 0xd7f, 'Malayalam'],
  [0xd80, 0xdff, 'Sinhala'],
  [0xe00, 0xe7f, 'Thai'],
  [0xe80, 0xeff, 'Lao'],
  [0x1000, 0x109f, 'Myanmar'],
  [0x10a0, 0x10ff, 'Georgian'],
  [0x1100, 0x11ff, 'Hangul'],
  [0x1200, 0x137f, 'Ethiopic'],
  [0x1780, 0x17ff, 'Khmer'],
  [0x1e00, 0x1eff, 'Latin'],
  [0x1f00, 0x1fff, 'Greek'],
  [0x3040, 0x30ff, 'Kana'],
  [0x3130, 0x318f, 'Hangul'],
  [0x3400, 0x4dbf, 'Han'],
  [0x4e00, 0x9fff, 'Han'],
  [0xac00, 0xd7af, 'Hangul'],
  [0x20000, 0x3134f, 'Han'],
]

const LETTER = /\p{L}/u

/** The script of a letter; `other` for rarer ones, undefined for what is no letter. */
export function scriptOf(codePoint: number): string | undefined {
  let low = 0
  let high = BLOCKS.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last, script] = BLOCKS[middle]
    if (codePoint < first) high = middle - 1
    else if (codePoint > last) low = middle + 1
    else return script
  }
  if (codePoint < 0x80) return undefined
  return LETTER.test(String.fromCodePoint(codePoint)) ? 'other' : undefined
}

/** Adds a text's letters by script; its first `limit` characters tell. */
export function countScripts(text: string, counts: Map<string, number>, limit = 400): void {
  let seen = 0
  for (const character of text) {
    if (++seen > limit) return
    const script = scriptOf(character.codePointAt(0) as number)
    if (script !== undefined) counts.set(script, (counts.get(script) ?? 0) + 1)
  }
}

/** The script of most letters; Han beside any kana is Japanese. `none` where there is no letter. */
export function mainScript(texts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const text of texts) countScripts(text, counts)
  const kana = counts.get('Kana') ?? 0
  if (kana > 0 && kana * 20 >= (counts.get('Han') ?? 0)) {
    counts.set('Japanese', kana + (counts.get('Han') ?? 0))
    counts.delete('Kana')
    counts.delete('Han')
  }
  let best = 'none'
  for (const [script, n] of counts) if (n > (counts.get(best) ?? 0)) best = script
  return best
}
