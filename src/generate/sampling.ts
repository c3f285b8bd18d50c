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
    const scaled = ops.mulScalar(ops.to(logits, 'f32'), 1 / options.temperature)
    const vocabulary = logits.shape[1]
    const k = options.topK > 0 ? Math.min(options.topK, vocabulary) : vocabulary
    const [values, ids] = ops.topk(scaled, k) // [B, k], falling
    requireFinite(ops.narrow(values, 1, 0, 1), NO_TOKEN)
    const cumulative = ops.cumsum(ops.softmax(values, 1), 1)
    const rows = cumulative.shape[0]
    const tail = ops.narrow(cumulative, 1, k - 1, 1)
    // The nucleus ends with the first token that reaches topP; drawing below its mass never leaves it.
    const reached = ops.searchsorted(cumulative, ops.contiguous(ops.mulScalar(tail, options.topP)))
    const last = ops.clampMax(reached, k - 1)
    const mass = ops.gather(cumulative, 1, last)
    const draw = ops.mul(f32(uniforms, [rows, 1]), mass)
    const place = ops.minimum(ops.searchsorted(cumulative, draw, undefined, true), last)
    return ops.squeeze(ops.gather(ids, 1, place), 1).numbers()
  })
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
