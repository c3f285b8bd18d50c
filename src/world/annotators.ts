/** Who labels the pairs of a world, and how such a person errs: each label's probability of being reversed. */
import { usageError } from '../errors.js'
import { mean, sigmoid } from '../statistics/statistics.js'

export const ANNOTATORS = ['even', 'closeness', 'length'] as const

/**
 * `even`: every label is as likely to be reversed. `closeness`: the closer two answers are in worth, the likelier it is
 * (Bradley-Terry). `length`: a share of the labels is given by length alone, to the longer answer.
 */
export type Annotator = (typeof ANNOTATORS)[number]

/** A pair as its annotator sees it. */
export interface LabelledPair {
  /** True reward of the better answer minus that of the worse one, above 0. */
  gap: number
  /** How many characters longer the worse answer is. */
  longer: number
}

/**
 * Probabilities whose mean is `noise`, one a pair.
 * @throws ClhaError (exit 2) where so much noise can't come from an annotator of this kind
 */
export function reversalProbabilities(
  pairs: readonly LabelledPair[],
  annotator: Annotator,
  noise: number,
): number[] {
  if (annotator === 'even' || noise === 0 || pairs.length === 0) return pairs.map(() => noise)
  return annotator === 'closeness' ? byCloseness(pairs, noise) : byLength(pairs, noise)
}

/** sg(-gap / t): t is found by halving an interval, for the mean rises with it, from 0 to 1/2. */
function byCloseness(pairs: readonly LabelledPair[], noise: number): number[] {
  if (noise >= 0.5) throw unreachable('closeness', noise, 0.5)
  const at = (logT: number) => pairs.map(({ gap }) => sigmoid(-gap / Math.exp(logT)))
  let [low, high] = [-20, 20]
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2
    if (mean(at(middle)) < noise) low = middle
    else high = middle
  }
  return at(high)
}

/** Of two answers of one length neither looks better to such an annotator. */
const misledByLength = ({ longer }: LabelledPair): number => (longer === 0 ? 0.5 : Number(longer > 0))

function byLength(pairs: readonly LabelledPair[], noise: number): number[] {
  const misled = pairs.map(misledByLength)
  const most = mean(misled)
  if (noise > most) throw unreachable('length', noise, most)
  return misled.map((wrong) => (wrong * noise) / most)
}

const unreachable = (annotator: Annotator, noise: number, most: number) =>
  usageError(
    `annotator: ${annotator} can't reverse ${noise} of the labels; the most is ${most.toFixed(2)}`,
    'give less noise, or annotator: even',
  )
