/** The next token of each row: greedy, or drawn at a temperature among the likeliest. */
import { requireFinite } from '../models/decoder/finite.js'
import { f32, i64, ops, scope, type Tensor } from '../tensor/index.js'

export interface SamplingOptions {
  /** 0: always the likeliest token. */
  temperature: number
  /** Among this many likeliest tokens; 0: all. */
  topK: number
  /** Among the likeliest tokens of this total probability, in (0, 1]. */
  topP: number
}

const NO_TOKEN = 'no token can be chosen'

/** Nearly every draw ends among so many likeliest tokens. A vocabulary is sorted as a whole only for a row whose draw does not. */
const LIKELIEST = 512

/**
 * The largest logit shows whether a row is finite: NaN counts as larger than any number.
 * @param logits   [B, V]
 * @param uniforms one number in [0, 1) per row: a row's draw depends on its own numbers alone, not on its neighbours
 * @returns token ids [B]
 * @throws ClhaError (exit 5) where a row has a NaN or an infinite logit
 */
export function nextTokens(logits: Tensor, options: SamplingOptions, uniforms: readonly number[]): number[] {
  return scope(() => {
    if (options.temperature === 0) {
      const best = ops.argmax(logits, 1)
      requireFinite(ops.gather(logits, 1, ops.unsqueeze(best, 1)), NO_TOKEN)
      return best.numbers()
    }
    const scaled = overTemperature(ops.to(logits, 'f32'), options.temperature)
    const vocabulary = logits.shape[1]
    if (options.topK > 0 && options.topK < vocabulary) {
      const [values, ids] = ops.topk(scaled, options.topK)
      return drawAmong([ops.softmax(values, 1), ids], options, uniforms).tokens
    }
    const shares = ops.softmax(scaled, 1)
    const few = Math.min(vocabulary, LIKELIEST)
    const { tokens, behind } = drawAmong(ops.topk(shares, few), options, uniforms, few === vocabulary)
    if (behind.length === 0) return tokens
    const sorted = ops.topk(ops.indexSelect(shares, 0, i64(behind)), vocabulary)
    const rest = drawAmong(
      sorted,
      options,
      behind.map((row) => uniforms[row]),
    ).tokens
    behind.forEach((row, i) => {
      tokens[row] = rest[i]
    })
    return tokens
  })
}

/** Below it, logits over the temperature might not fit into float32. */
const SHARP = 1e-3
const MOST_SHARPENED = 3e38

/** At a sharp temperature the largest is taken off first: it stays at 0, so that T to 0 becomes greedy. */
function overTemperature(logits: Tensor, temperature: number): Tensor {
  if (temperature >= SHARP) return ops.mulScalar(logits, 1 / temperature)
  const [largest] = ops.maxDim(logits, 1, true)
  return ops.mulScalar(ops.sub(logits, largest), Math.min(1 / temperature, MOST_SHARPENED))
}

/**
 * @param sorted  shares [B, n], falling, and the tokens that have them
 * @param isWhole the shares of a row are all that there are
 * @returns tokens [B], and the rows whose draw ends behind the shares: their token is none
 */
function drawAmong(
  [shares, ids]: [shares: Tensor, ids: Tensor],
  { topP }: SamplingOptions,
  uniforms: readonly number[],
  isWhole = true,
): { tokens: number[]; behind: number[] } {
  requireFinite(ops.narrow(shares, 1, 0, 1), NO_TOKEN)
  const [rows, n] = shares.shape
  const cumulative = ops.cumsum(shares, 1)
  const total = isWhole ? ops.narrow(cumulative, 1, n - 1, 1) : f32(new Array(rows).fill(1), [rows, 1])
  // The nucleus ends with the first token that reaches topP; drawing below its mass never leaves it.
  const reached = ops.searchsorted(cumulative, ops.contiguous(ops.mulScalar(total, topP)))
  const last = ops.clampMax(reached, n - 1)
  const mass = isWhole || topP < 1 ? ops.gather(cumulative, 1, last) : total
  const found = ops.searchsorted(cumulative, ops.mul(f32(uniforms, [rows, 1]), mass), undefined, true)
  const place = ops.minimum(found, last)
  const ends = isWhole ? [] : (topP < 1 ? reached : found).numbers()
  return {
    tokens: ops.squeeze(ops.gather(ids, 1, place), 1).numbers(),
    behind: ends.flatMap((end, row) => (end === n ? [row] : [])),
  }
}

/**
 * The next token of rows that may each have settings of their own.
 * @param logits   [B, V]
 * @param uniforms one number in [0, 1) per row; not used by greedy rows
 */
export function tokensOfRows(
  logits: Tensor,
  options: readonly SamplingOptions[],
  uniforms: readonly number[],
): number[] {
  const groups = new Map<string, number[]>()
  options.forEach(({ temperature, topK, topP }, row) => {
    const key = temperature === 0 ? 'greedy' : `${temperature}:${topK}:${topP}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  })
  if (groups.size === 1) return nextTokens(logits, options[0], uniforms)
  const tokens = new Array<number>(options.length)
  for (const rows of groups.values()) {
    const chosen = scope(() =>
      nextTokens(
        ops.indexSelect(logits, 0, i64(rows)),
        options[rows[0]],
        rows.map((row) => uniforms[row]),
      ),
    )
    rows.forEach((row, i) => {
      tokens[row] = chosen[i]
    })
  }
  return tokens
}
