/** How byte-level tokenizers cut a text before the merges: names of `tokenizer.ggml.pre`, and the same in tokenizer.json. */

/** What a name stands for. */
export interface Cutting {
  /** Regular expressions that cut one after the other; left out: GPT-2's own, which `ByteLevel` has built in. */
  patterns?: readonly string[]
  /** Each digit stands alone, before GPT-2's expression cuts. */
  digits?: boolean
  /** Texts are brought to Unicode's NFC first. llama.cpp leaves that out. */
  nfc?: boolean
  /** A text that is a token as it stands is not cut into merges. */
  ignoreMerges?: boolean
  /** A text begins with BOS where the file says nothing else. */
  addsBos?: boolean
}

const CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const REST = String.raw`\s*[\r\n]+|\s+(?!\S)|\s+`
const words = (digits: string) =>
  String.raw`${CONTRACTIONS}|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|${REST}`
const LLAMA3 = words(String.raw`\p{N}{1,3}`)
const QWEN2 = words(String.raw`\p{N}`)
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`
const cased = (ending: string, digits: string) =>
  [
    String.raw`[^\r\n\p{L}\p{N}]?${UPPER}*${LOWER}+${ending}`,
    String.raw`[^\r\n\p{L}\p{N}]?${UPPER}+${LOWER}*${ending}`,
    digits,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*`,
    REST,
  ].join('|')

const GPT2: Cutting = {}
const DIGITS: Cutting = { digits: true }

/** The first of several names for one cutting is the one that is written. */
export const CUTTINGS: Readonly<Record<string, Cutting>> = {
  'gpt-2': GPT2,
  'phi-2': GPT2,
  jais: GPT2,
  trillion: GPT2,
  olmo: { nfc: true },
  mpt: { nfc: true },
  smollm: DIGITS,
  starcoder: DIGITS,
  refact: DIGITS,
  codeshell: DIGITS,
  exaone: DIGITS,
  'llama-bpe': { patterns: [LLAMA3], ignoreMerges: true, addsBos: true },
  'llama-v3': { patterns: [LLAMA3], ignoreMerges: true, addsBos: true },
  llama3: { patterns: [LLAMA3], ignoreMerges: true, addsBos: true },
  dbrx: { patterns: [LLAMA3] },
  'smaug-bpe': { patterns: [LLAMA3] },
  qwen2: { patterns: [QWEN2], nfc: true },
  'deepseek-r1-qwen': { patterns: [QWEN2], nfc: true },
  megrez: { patterns: [QWEN2], nfc: true },
  tekken: { patterns: [cased('', String.raw`\p{N}`)], ignoreMerges: true },
  'gpt-4o': { patterns: [cased(`${CONTRACTIONS}?`, String.raw`\p{N}{1,3}`)] },
}

type Json = Record<string, unknown>

const byteLevel = (use_regex: boolean, add_prefix_space: boolean): Json => ({
  type: 'ByteLevel',
  add_prefix_space,
  trim_offsets: false,
  use_regex,
})

/** `pre_tokenizer` of tokenizer.json. */
export function preTokenizer({ patterns, digits }: Cutting, prefixSpace: boolean): Json {
  const splits = (patterns ?? []).map((Regex) => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
  }))
  const apart = digits ? [{ type: 'Digits', individual_digits: true }] : []
  const last = byteLevel(patterns === undefined, prefixSpace)
  const pretokenizers: Json[] = [...apart, ...splits, last]
  return pretokenizers.length === 1 ? last : { type: 'Sequence', pretokenizers }
}
