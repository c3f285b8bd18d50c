/** Which of llama.cpp's cuttings a tokenizer.json has: its steps are compared, not its name. */
import { usageError } from '../../../errors.js'
import { CUTTINGS, type Cutting } from './pre-tokenizers.js'

type Json = Record<string, unknown>

/** @returns the name for `tokenizer.ggml.pre`. @throws ClhaError (exit 2) for a cutting that llama.cpp does not have */
export function cuttingName(tokenizer: Json, where: string): string {
  const steps = stepsOf(tokenizer.pre_tokenizer as Json | null)
  const { ignore_merges } = tokenizer.model as Json
  const nfc = (tokenizer.normalizer as Json | null)?.type === 'NFC'
  const alike = Object.entries(CUTTINGS).filter(
    ([, cutting]) =>
      (cutting.ignoreMerges ?? false) === (ignore_merges ?? false) &&
      stepsOfCutting(cutting).join('\n') === steps?.join('\n'),
  )
  // llama.cpp normalises nothing: where no name has the same normalizer, the same steps will do.
  const found = alike.find(([, cutting]) => (cutting.nfc ?? false) === nfc) ?? alike[0]
  if (found) return found[0]
  throw usageError(
    `${where}: pre_tokenizer ${JSON.stringify(tokenizer.pre_tokenizer).slice(0, 200)} is none that llama.cpp has`,
    `texts would be cut into other tokens there; known are those of ${Object.keys(CUTTINGS).join(', ')}`,
  )
}

const GPT2_STEP = 'gpt2'
const DIGITS_STEP = 'digits'

const stepsOfCutting = ({ patterns, digits }: Cutting): string[] => [
  ...(digits ? [DIGITS_STEP] : []),
  ...(patterns ?? [GPT2_STEP]),
]

/** Undefined for a step that no cutting has. */
function stepsOf(pre: Json | null): string[] | undefined {
  if (pre === null) return undefined
  if (pre.type === 'Sequence') {
    const parts = (pre.pretokenizers as Json[]).map(stepsOf)
    return parts.every((part) => part !== undefined) ? parts.flat() : undefined
  }
  if (pre.type === 'ByteLevel') return pre.use_regex === false ? [] : [GPT2_STEP]
  if (pre.type === 'Digits') return pre.individual_digits === true ? [DIGITS_STEP] : undefined
  const regex = (pre.pattern as Json | undefined)?.Regex
  // The patterns leave nothing out, so that what is between their matches is nothing.
  const cuts = pre.behavior === 'Isolated' || (pre.behavior === 'Removed' && pre.invert === true)
  return pre.type === 'Split' && typeof regex === 'string' && cuts ? [regex] : undefined
}
