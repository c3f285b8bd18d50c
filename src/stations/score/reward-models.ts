/** Reward models trained on preferences, cross-fitted by prompt: none scores a prompt that it was trained on. */

import type { SectionOptions } from '../../config/options.js'
import { type EncodedCorpus, where } from '../../data/corpus.js'
import { type Example, isLabelled, type Preference } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { type LanguageModel, scratchConfig } from '../../load/language-model.js'
import { rewardStart } from '../../load/trainable.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { initModel } from '../../models/decoder/init.js'
import { decoderScorer } from '../../models/decoder/reward-scorer.js'
import { rewardConfig } from '../../models/families/families.js'
import { scoreExamples } from '../../reward/model-scorer.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Needs } from '../../session/needs.js'
import { amount, count, percent } from '../../show/units.js'
import { labelAgreement } from '../../statistics/agreement.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { TrainingResult } from '../../train/loop/run.js'
import { rewardObjective } from '../../train/objectives/objective.js'
import { type FitNeeds, fitModel } from '../fit/fit.js'

export interface FoldModel {
  /** It was trained on all prompts but those of this fold, and scores them. With one fold it was trained on all. */
  fold: number
  model: Decoder
  run: TrainingResult
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

export interface RewardModelOptions {
  folds: number
  /** Of the heads and the order; another seed makes another model from the same data. */
  seed: number
  dir(fold: number): string
  label(fold: number): string
  data: DataFile[]
  stage: boolean
  /** Called when a model's folder is ours, before its first step. */
  opened?(): Promise<void>
  trajectory?: Record<string, unknown>
}

type RewardNeeds = FitNeeds & Needs<SectionOptions<'model' | 'lora' | 'rewardTrain'>, 'dtype'>

/** The start model with a new head, or random weights of `reward_model_config`. */
function freshScorer(session: RewardNeeds, { model, tokenizer }: LanguageModel, seed: number): Decoder {
  const { options, dtype } = session
  if (options.rewardModelConfig === undefined) return rewardStart(session, model, seed)
  const sizes = scratchConfig(options.rewardModelConfig, tokenizer)
  return initModel(rewardConfig(sizes), seed, 'reward', dtype)
}

/** @throws ClhaError (exit 2) where a fold has nothing to be judged by, or nothing to be trained on */
export function requireFolds(
  examples: readonly Example[],
  { folds, seed }: { folds: number; seed: number },
): void {
  const labelled = new Array<number>(folds).fill(0)
  for (const example of examples) if (isLabelled(example)) labelled[foldOf(example.prompt, seed, folds)] += 1
  const total = labelled.reduce((sum, n) => sum + n, 0)
  const empty = labelled.findIndex((n) => n === 0 || n === total)
  if (empty < 0) return
  const has = labelled[empty] === 0 ? 'none' : 'all'
  throw usageError(
    `folds: ${folds}: fold ${empty} has ${has} of the ${count(total)} lists with preferences`,
    'lower folds, or give more prompts',
  )
}

/** Trains one reward model per fold, each starting as a copy of `start` or from `reward_model_config`. */
export async function trainRewardModels(
  session: RewardNeeds,
  start: LanguageModel,
  data: EncodedCorpus,
  options: RewardModelOptions,
): Promise<FoldModel[]> {
  if (options.folds > 1) requireFolds(data.examples, { folds: options.folds, seed: session.options.seed })
  const out: FoldModel[] = []
  for (let fold = 0; fold < options.folds; fold++) {
    const within = (example: Example) =>
      options.folds > 1 && foldOf(example.prompt, session.options.seed, options.folds) === fold
    const model = freshScorer(session, start, options.seed + fold)
    out.push(await trainFold(session, start, data, { ...options, fold, model, within }))
    if (session.stopRequested()) break
  }
  return out
}

interface FoldOptions extends RewardModelOptions {
  fold: number
  model: Decoder
  /** Held out of this model's training. */
  within(example: Example): boolean
}

async function trainFold(
  session: RewardNeeds,
  start: LanguageModel,
  data: EncodedCorpus,
  f: FoldOptions,
): Promise<FoldModel> {
  const { options } = session
  const heldOut = where(data, (example) => f.within(example))
  const trainedOn = where(data, (example) => !f.within(example))
  const run = await fitModel(session, {
    kind: f.label(f.fold),
    dir: f.dir(f.fold),
    model: f.model,
    tokenizerDir: start.tokenizer.dir,
    objective: rewardObjective(options.centerRewardsCoefficient),
    items: rewardItems(trainedOn),
    devItems: [],
    learningRate: options.rewardLearningRate,
    epochs: options.rewardNumTrainEpochs,
    maxSteps: options.rewardMaxSteps,
    batchSize: options.rewardPerDeviceTrainBatchSize,
    data: f.data,
    stage: f.stage,
    opened: f.opened,
    shown: { accuracy: 'accuracy' },
    trajectory: {
      ...f.trajectory,
      folds: f.folds,
      fold: f.fold,
      reward_seed: f.seed,
      center: options.centerRewardsCoefficient,
      ...(options.rewardMaxSteps !== undefined && { max_steps: options.rewardMaxSteps }),
    },
  })
  const accuracy = run.outcome.stopped ? undefined : await labelAccuracy(session, f.model, heldOut)
  return { fold: f.fold, model: f.model, run, accuracy }
}

/** Share of human labels that a reward model agrees with; a tie counts half. */
export async function labelAccuracy(
  { options }: Needs<'maxTokensPerBatch'>,
  model: Decoder,
  data: EncodedCorpus,
): Promise<Accuracy | undefined> {
  if (data.examples.length === 0) return undefined
  const { rewards } = await scoreExamples(decoderScorer(model), data.encoded, {
    maxTokens: options.maxTokensPerBatch,
  })
  return agreement(
    data.examples.map((e) => e.preferences),
    rewards,
  )
}

export function agreement(
  preferences: readonly (readonly Preference[])[],
  rewards: readonly (readonly number[])[],
): Accuracy | undefined {
  const { share, total, interval } = labelAgreement(preferences, rewards)
  return share === null ? undefined : { value: share, low: interval[0], high: interval[1], pairs: total }
}
