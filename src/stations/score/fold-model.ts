/** One of several reward models, however it was made: what it is made from, and what is known of it. */
import type { SectionOptions } from '../../config/options.js'
import type { EncodedCorpus } from '../../data/corpus.js'
import type { Example, Preference } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Needs } from '../../session/needs.js'
import { amount, percent } from '../../show/units.js'
import { labelAgreement } from '../../statistics/agreement.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { TrainingResult } from '../../train/loop/run.js'
import type { FitNeeds } from '../fit/fit.js'

export interface FoldModel {
  /** It was trained on all prompts but those of this fold, and scores them. With one fold it was trained on all. */
  fold: number
  model: Decoder
  /** Folder of what came out. */
  path: string
  /** None of a probe, which is fitted at once. */
  run?: TrainingResult
  /** Agreement with the human labels of prompts that it was not trained on; none where there are none. */
  accuracy?: Accuracy
}

export interface Accuracy {
  value: number
  low: number
  high: number
  pairs: number
}

export const accuracyText = ({ value, low, high, pairs }: Accuracy): string =>
  `${percent(value)} (${percent(low)}–${percent(high)}) of ${amount(pairs, 'held-out human label')}`

export interface RewardModelOptions {
  folds: number
  /** Of the heads and the order; another seed makes another model from the same data. */
  seed: number
  dir(fold: number): string
  label(fold: number): string
  data: DataFile[]
  stage: boolean
  /** Folder of the model to begin with, where it is another one than the config names. */
  base?: string
  /** Called when a model's folder is ours, before its first step. */
  opened?(): Promise<void>
  trajectory?: Record<string, unknown>
}

export type RewardNeeds = FitNeeds & Needs<SectionOptions<'model' | 'lora' | 'rewardTrain'>, 'dtype'>

/** Which examples a fold's model is not made from; none where there is one model. */
export const heldOutOf =
  (fold: number, folds: number, seed: number) =>
  ({ prompt }: Example): boolean =>
    folds > 1 && foldOf(prompt, seed, folds) === fold

/** Training items of a reward model: every human preference is a pair of weight 1. */
export function rewardItems({ examples, encoded }: EncodedCorpus): TrainItem[] {
  return examples.flatMap(({ preferences }, i) => {
    if (preferences.length === 0) return []
    const pairs = preferences.map(({ better, worse }) => ({ better, worse, distance: 1, weight: 1 }))
    return [
      { encoded: encoded[i], pairs, sft: { index: preferences[0].better, weight: 1 }, labels: preferences },
    ]
  })
}

export function agreement(
  preferences: readonly (readonly Preference[])[],
  rewards: readonly (readonly number[])[],
): Accuracy | undefined {
  const { share, total, interval } = labelAgreement(preferences, rewards)
  return share === null ? undefined : { value: share, low: interval[0], high: interval[1], pairs: total }
}
