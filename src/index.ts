/**
 * The library: every command as a function, and the parts they are made of.
 * Importing it starts nothing; the engine is loaded when the first tensor is made.
 */
import { alignSpec } from './cli/align.js'
import { augmentSpec } from './cli/augment.js'
import { type Call, callOf } from './cli/call.js'
import { evalSpec } from './cli/eval.js'
import { explainSpec } from './cli/explain.js'
import { generateSpec } from './cli/generate.js'
import { mergeSpec } from './cli/merge.js'
import { rescoreSpec } from './cli/rescore.js'
import { rewardScoreSpec } from './cli/reward-score.js'
import { rewardTrainSpec } from './cli/reward-train.js'
import { trainSpec } from './cli/train.js'
import type {
  AlignResult,
  AugmentResult,
  EvalResult,
  ExplainResult,
  GenerateResult,
  MergeResult,
  RescoreResult,
  ScoreResult,
  TrainResult,
} from './pipelines/pipeline.js'

/** From preferences to an aligned, evaluated model, as `clha align`. */
export const align: Call<AlignResult> = callOf(
  alignSpec,
  async () => (await import('./pipelines/align.js')).align,
)

/** CLHA on rescored preferences, or SFT, as `clha train`. */
export const train: Call<TrainResult> = callOf(
  trainSpec,
  async () => (await import('./pipelines/train.js')).train,
)

/** Rewards and labels to ranked lists and an audit of the labels, as `clha rescore`. */
export const rescore: Call<RescoreResult> = callOf(
  rescoreSpec,
  async () => (await import('./pipelines/rescore.js')).rescore,
)

/** A reward model from preferences, as `clha reward train`. */
export const trainReward: Call<TrainResult> = callOf(
  rewardTrainSpec,
  async () => (await import('./pipelines/reward-train.js')).rewardTrain,
)

/** Rewards for the answers of a data file, as `clha reward score`. */
export const scoreRewards: Call<ScoreResult> = callOf(
  rewardScoreSpec,
  async () => (await import('./pipelines/reward-score.js')).rewardScore,
)

/** Further answers as candidates, as `clha augment`. */
export const augment: Call<AugmentResult> = callOf(
  augmentSpec,
  async () => (await import('./pipelines/augment.js')).augment,
)

/** One example through the method, step by step, as `clha explain`. */
export const explain: Call<ExplainResult> = callOf(
  explainSpec,
  async () => (await import('./pipelines/explain.js')).explain,
)

/** Models side by side on held-out prompts, as `clha eval`. */
export const evaluate: Call<EvalResult> = callOf(
  evalSpec,
  async () => (await import('./pipelines/eval.js')).evalPipeline,
)

/** Answers to prompts, as `clha generate`. */
export const generate: Call<GenerateResult> = callOf(
  generateSpec,
  async () => (await import('./pipelines/generate.js')).generatePipeline,
)

/** An adapter merged into its base, as `clha merge`. */
export const merge: Call<MergeResult> = callOf(
  mergeSpec,
  async () => (await import('./pipelines/merge.js')).merge,
)

export type { Call, CallOptions, Settings } from './cli/call.js'
export { type EncodeOptions, encodeExamples, encodePrompts } from './data/encode.js'
export type * from './data/encoded.js'
export type * from './data/example.js'
export { type PackedBatch, packLists } from './data/pack.js'
// Data
export { type ReadOptions, type ReadReport, readExamples } from './data/read-examples.js'
export { newCounts, type ReadCounts, type StreamItem, streamExamples } from './data/stream-examples.js'
export { type WriteFormat, type WriteReport, writeExamples } from './data/write-examples.js'
export { ClhaError } from './errors.js'
export { EXIT, type ExitCode } from './exit-codes.js'
export { generate as generateText } from './generate/generate.js'
export type { GeneratedAnswer, GenerateOptions, GenerateRequest } from './generate/requests.js'
export { type BradleyTerryOptions, bradleyTerryLoss } from './losses/bradley-terry.js'
// Losses
export { CLHA_DEFAULTS, type ClhaOptions, clhaDenominators, clhaLoss } from './losses/clha.js'
export { sftDenominators, sftLoss } from './losses/sft.js'
export type * from './losses/types.js'
export { attachAdapter, trainableWeights, withAdapterOff } from './models/adapter.js'
export type { AdapterConfig, LoraOptions } from './models/adapter-config.js'
export { loadAdapter, loadModelFolder } from './models/adapter-load.js'
export { mergeAdapter } from './models/adapter-merge.js'
export { adapterFiles } from './models/adapter-save.js'
export { type Decoder, decode, logits } from './models/decoder.js'
export { initModel, rewardModelFrom } from './models/init.js'
// Models
export { loadModel } from './models/load.js'
export { loadRewardScorer } from './models/load-reward.js'
export { decoderScorer, type RewardScorer } from './models/reward-scorer.js'
export { candidateLogProbs, candidateRewards } from './models/score.js'
export { ADAMW_DEFAULTS, type AdamWOptions, createAdamW } from './optim/adamw.js'
export { createOptimizer, type Optimizer, type OptimizerOptions } from './optim/optimizer.js'
export type * from './pipelines/pipeline.js'
export { type AuditReport, auditReport } from './rescore/audit.js'
export { type CalibrateOptions, type Calibration, calibrate } from './rescore/calibrate.js'
export { lossLists } from './rescore/loss-lists.js'
// Rescoring: rewards and labels to pairs, weights and gates
export {
  type LegacyOptions,
  legacyDefaults,
  legacyRank,
  type RankOptions,
  rankDefaults,
  rankLists,
} from './rescore/rank.js'
export type * from './rescore/ranked.js'
export { readRankedJsonl, writeRankedJsonl } from './rescore/ranked-jsonl.js'
export { type Rescored, type RescoreInput, type RescoreOptions, rescoreLists } from './rescore/rescore.js'
export { type RewardFormatOptions, rewardTemplate } from './reward/input-format.js'
export { type Scored, type ScoreOptions, scoreExamples } from './reward/model-scorer.js'
// Tensors
export {
  allocate,
  backward,
  type DType,
  dispose,
  f32,
  f64,
  fromData,
  Generator,
  gradients,
  gradOf,
  i64,
  keep,
  memory,
  noGrad,
  ops,
  requiresGrad,
  scope,
  setGrad,
  type Tensor,
  withGrad,
} from './tensor/index.js'
export { createUi, type Ui } from './terminal/ui.js'
export { assistantMask, assistantSpans } from './text/assistant-spans.js'
export { type ChatTemplate, chatTemplate, TEMPLATE_NAMES } from './text/template.js'
export { loadTokenizer, type TextTokenizer } from './text/tokenizer.js'

// The starter world
export { createWorld, oracle, type World, type WorldOptions, writeWorld } from './world/index.js'
