/**
 * Several losses of one pair as one: sum of weight * loss, as TRL's `loss_type` list with `loss_weights`. Each takes its own
 * facts of the step, and remembers its own.
 */
import { ops } from '../tensor/index.js'
import type { PairLoss, PairTerm } from './pairwise.js'

export interface MixPart {
  name: string
  weight: number
  loss: PairLoss
}

export function mixed(parts: readonly MixPart[]): PairLoss {
  const stateful = parts.filter(({ loss }) => loss.state)
  return {
    term: (better, worse, { pairs, facts }) => {
      const terms = parts.map(({ weight, loss }, i) =>
        ops.mulScalar(loss.term(better, worse, { pairs, facts: facts?.parts?.[i] }), weight),
      )
      return terms.reduce((sum, term) => ops.add(sum, term))
    },
    ...(parts.some(({ loss }) => loss.facts) && {
      facts: (pairs, training) => {
        const own = parts.map(({ loss }) => loss.facts?.(pairs, training))
        return { parts: own, metrics: Object.assign({}, ...own.map((facts) => facts?.metrics)) }
      },
    }),
    ...(stateful.length > 0 && {
      state: () =>
        Object.fromEntries(
          stateful.flatMap(({ name, loss }) =>
            Object.entries(loss.state?.() ?? {}).map(([key, value]) => [`${name}.${key}`, value] as const),
          ),
        ),
      restore: (state) => {
        for (const { name, loss } of stateful) {
          const own = Object.entries(state).filter(([key]) => key.startsWith(`${name}.`))
          loss.restore?.(Object.fromEntries(own.map(([key, value]) => [key.slice(name.length + 1), value])))
        }
      },
    }),
  }
}

/** No loss of pairs: what is left is the likelihood of their better answers. */
export const noTerm: PairTerm = (better) => ops.mulScalar(better.sum, 0)
