/** Reward models trained on preferences, cross-fitted by prompt: none scores a prompt that it was trained on. */

import { type EncodedCorpus, where } from '../../data/corpus.js'
import { type Example, isLabelled } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { type LanguageModel, scratchConfig } from '../../load/language-model.js'
import { rewardStart } from '../../load/trainable.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { initModel } from '../../models/decoder/init.js'
import { decoderScorer } from '../../models/decoder/reward-scorer.js'
import { rewardConfig } from '../../models/families/families.js'
import { scoreExamples } from '../../reward/model-scorer.js'
import type { Needs } from '../../session/needs.js'
import { count } from '../../show/units.js'
import { rewardObjective } from '../../train/objectives/objective.js'
import { fitModel } from '../fit/fit.js'
import {
  type Accuracy,
  agreement,
  type FoldModel,
  heldOutOf,
  type RewardModelOptions,
  type RewardNeeds,
  rewardItems,
} from './fold-model.js'
import { fitProbes } from './reward-probes.js'

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

/** Trains one reward model per fold, each starting as a copy of `start` or from `reward_model_config`; or fits probes of it. */
export async function trainRewardModels(
  session: RewardNeeds,
  start: LanguageModel,
  data: EncodedCorpus,
  options: RewardModelOptions,
): Promise<FoldModel[]> {
  if (options.folds > 1) requireFolds(data.examples, { folds: options.folds, seed: session.options.seed })
  if (session.options.rewardProbe) return fitProbes(session, start, data, options)
  const out: FoldModel[] = []
  for (let fold = 0; fold < options.folds; fold++) {
    const within = heldOutOf(fold, options.folds, session.options.seed)
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
  return { fold: f.fold, model: f.model, path: run.model, run, accuracy }
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
