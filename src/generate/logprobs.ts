/** How likely the chosen tokens and their likeliest rivals were: of the model itself, before temperature and cuts. */
import { i64, ops, scope, type Tensor } from '../tensor/index.js'

export interface TokenLogprob {
  id: number
  /** Natural logarithm of the probability. */
  logprob: number
  /** The likeliest tokens, falling. */
  top: { id: number; logprob: number }[]
}

/**
 * @param logits [B, V]
 * @param chosen token ids [B]
 * @param tops   for each row the number of likeliest tokens to name; undefined where nothing is asked
 */
export function logprobsOfRows(
  logits: Tensor,
  chosen: readonly number[],
  tops: readonly (number | undefined)[],
): (TokenLogprob | undefined)[] {
  const rows = tops.flatMap((top, row) => (top === undefined ? [] : [row]))
  const found = new Array<TokenLogprob | undefined>(tops.length).fill(undefined)
  if (rows.length === 0) return found
  const most = Math.min(Math.max(...rows.map((row) => tops[row] as number)), logits.shape[1])
  scope(() => {
    const own = ops.indexSelect(logits, 0, i64(rows))
    const all = ops.logSoftmax(ops.to(own, 'f32'), 1)
    const ids = rows.map((row) => chosen[row])
    const picked = ops.gather(all, 1, i64(ids, [rows.length, 1])).numbers()
    const [values, places] = most > 0 ? ops.topk(all, most) : []
    const likeliest = values?.numbers() ?? []
    const names = places?.numbers() ?? []
    rows.forEach((row, i) => {
      const top = Array.from({ length: Math.min(tops[row] as number, most) }, (_, k) => ({
        id: names[i * most + k],
        logprob: likeliest[i * most + k],
      }))
      found[row] = { id: ids[i], logprob: picked[i], top }
    })
  })
  return found
}
