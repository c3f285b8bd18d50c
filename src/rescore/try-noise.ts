/** Whether rescoring would help: believed labels are reversed on purpose, and what becomes of them is counted. */
import type { Example } from '../data/example.js'
import { type Proportion, proportion, winOf } from '../statistics/agreement.js'
import type { Interval } from '../statistics/estimate.js'
import { mean } from '../statistics/statistics.js'
import { samePair } from './pairs.js'
import type { RankedList } from './ranked.js'
import { calibrationError } from './reliability.js'
import { type RescoreOptions, rescoreLists } from './rescore.js'
import { type NoiseSettings, reversedRows } from './reversed-labels.js'
import type { Scores } from './scorers/mean-scores.js'

/** Examples whose labels are believed, and what scorers say of their answers. */
export interface Believed {
  examples: readonly Example[]
  rewards: readonly number[][]
  scores?: readonly Scores[]
  options: RescoreOptions
}

/** What became of one reversal. */
export interface NoiseTrial {
  /** Shares of the believed pairs in the right order, by the labels, by the reward alone (ties half), and after rescoring. */
  labels: number
  reward: number
  order: number
  /** Of the labels called reversed, those that are; of those that are, those called so. */
  precision: Proportion
  recall: Proportion
  contrasted: Proportion
  /** Of the contrasted pairs: how many are right, and how many were believed to be; null where there are none. */
  right: number | null
  believed: number | null
  /** Mean |right - believed| over ten bins of belief, weighed by their pairs. */
  calibrationError: number
  /** 95 % interval of the labels' error, where it was estimated. */
  labelErrorInterval?: Interval
}

/**
 * Reverses labels, rescores, and counts against the labels as they were. The rows' preferences are what is believed;
 * votes on them are left out.
 * @throws ClhaError (usage) as `rescoreLists`
 */
export function tryNoise(
  { examples, rewards, scores, options }: Believed,
  settings: NoiseSettings,
): NoiseTrial {
  const rows = reversedRows(examples, settings)
  const turned = <T>(answers: readonly T[], i: number): T[] => rows[i].places.map((k) => answers[k])
  const wrong = new Map(rows.map(({ example, wrong }) => [example.id, wrong]))
  const truth = ({ example }: RankedList): boolean[] => wrong.get(example.id) ?? []
  const { lists, calibrations, audit } = rescoreLists({
    examples: rows.map(({ example }) => example),
    rewards: rewards.map(turned),
    ...(scores && { scores: scores.map((one, i) => mapValues(one, (of) => turned(of, i))) }),
    options: { ...options, audit: { ...options.audit, truth } },
  })
  if (!audit.truth) throw new Error('the audit was told the truth')
  const { labelsRight, orderRight, precision, recall } = audit.truth
  const pairs = lists.flatMap((list) => believedPairs(list, truth(list)))
  const contrasted = pairs.filter(({ weight }) => weight > 0)
  const share = (of: typeof pairs, name: 'right' | 'belief') =>
    of.length > 0 ? mean(of.map((pair) => pair[name])) : null
  const interval = calibrations[0]?.labelErrorInterval
  return {
    labels: labelsRight.share ?? 0,
    reward: mean(pairs.map(({ byReward }) => byReward)),
    order: orderRight.share ?? 0,
    precision,
    recall,
    contrasted: proportion(contrasted.length, pairs.length),
    right: share(contrasted, 'right'),
    believed: share(contrasted, 'belief'),
    calibrationError: calibrationError(
      pairs.map(({ belief }) => belief),
      pairs.map(({ right }) => right),
      (belief) => Math.min(9, Math.floor((belief - 0.5) * 20)),
    ),
    ...(interval && { labelErrorInterval: interval }),
  }
}

const mapValues = <A, B>(record: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]))

/** The pairs of a list whose order is believed. */
function believedPairs({ example, pairs, rewards }: RankedList, wrong: readonly boolean[]) {
  return example.preferences.map((p, k) => {
    const [better, worse] = wrong[k] ? [p.worse, p.better] : [p.better, p.worse]
    const pair = pairs.find((one) => samePair(one, p))
    if (!pair) throw new Error('a preference names no pair')
    const { belief, weight } = pair
    return {
      belief,
      weight,
      right: Number(pair.better === better),
      byReward: winOf(rewards[better] - rewards[worse]),
    }
  })
}
