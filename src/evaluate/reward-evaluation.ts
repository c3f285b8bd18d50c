/** What a reward model is worth on labelled answers: accuracy by category, calibration, and the score of a benchmark. */
import { calibrate } from '../rescore/calibrate.js'
import { preferenceMetrics, type ReliabilityBin } from '../rescore/reliability.js'
import type { Proportion } from '../statistics/agreement.js'
import type { Interval } from '../statistics/estimate.js'
import {
  accuracyBySource,
  type Benchmark,
  benchmarkOf,
  bestOfN,
  type NamedScore,
  pairAccuracy,
  type RewardedList,
  rewardBench2Scores,
  rewardBenchScores,
  rmBenchScores,
} from './reward-benchmarks.js'

export interface RewardCalibration {
  /** The reward gap that is worth odds of e to 1, in the reward's unit. */
  temperature: number
  temperatureInterval?: Interval
  /** Share of pairs whose label contradicts the reward however large its gap: reward or label is wrong. */
  lapse: number
  lapseInterval?: Interval
  /** At that T, of both orders of every pair. */
  ece: number
  nll: number
  brier: number
  reliability: ReliabilityBin[]
  /** T stopped at the edge of what the fit allows: larger gaps make labels no surer. */
  atBound: boolean
}

export interface RewardEvaluation {
  benchmark: Benchmark
  lists: number
  /** Over all labels. */
  accuracy: Proportion
  categories: { name: string; accuracy: Proportion }[]
  /** Of lists of more than two answers: the best one has the highest reward. */
  bestOfN?: Proportion
  /** Of a benchmark, its own score last. */
  scores: NamedScore[]
  /** Absent below 30 labels, and where all rewards are equal. */
  calibration?: RewardCalibration
}

const FEWEST = 30

/** @param benchmark recognised by subsets and shape where left out */
export function evaluateReward(
  lists: readonly RewardedList[],
  { benchmark = benchmarkOf(lists) }: { benchmark?: Benchmark } = {},
): RewardEvaluation {
  const calibration = calibrationOf(lists)
  const several = lists.filter(({ rewards }) => rewards.length > 2)
  return {
    benchmark,
    lists: lists.length,
    accuracy: pairAccuracy(lists),
    categories: accuracyBySource(lists),
    ...(several.length > 0 && { bestOfN: bestOfN(several) }),
    scores: SCORES[benchmark]?.(lists) ?? [],
    ...(calibration && { calibration }),
  }
}

const SCORES: Partial<Record<Benchmark, (lists: readonly RewardedList[]) => NamedScore[]>> = {
  reward_bench: rewardBenchScores,
  reward_bench_2: rewardBench2Scores,
  rm_bench: rmBenchScores,
}

function calibrationOf(lists: readonly RewardedList[]): RewardCalibration | undefined {
  const gaps = lists.flatMap(({ rewards, preferences }) =>
    preferences.map(({ better, worse }) => rewards[better] - rewards[worse]),
  )
  const moving = gaps.filter((gap) => gap !== 0).length
  if (gaps.length < FEWEST || moving * 2 <= gaps.length) return undefined
  const found = calibrate(gaps, { minPairs: FEWEST, labelError: 0, name: 'these pairs' })
  // A label is right by construction: each pair is looked at from both sides, so that beliefs can also be too low.
  const margins = gaps.flatMap((gap) => [gap, -gap])
  const labels = gaps.flatMap(() => [1, 0])
  const { ece, nll, brier } = preferenceMetrics(margins, labels, found.temperature)
  const { temperature, temperatureInterval, lapse, lapseInterval, reliability } = found
  return {
    temperature,
    temperatureInterval,
    lapse,
    lapseInterval,
    ece,
    nll,
    brier,
    reliability,
    atBound: found.atBound.includes('temperature'),
  }
}
