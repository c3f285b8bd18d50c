/**
 * The library: every command as a function, and the parts they are made of.
 * Importing it starts nothing; the engine is loaded when the first tensor is made.
 */
import { alignSpec } from './commands/align/index.js'
import { augmentSpec } from './commands/augment/index.js'
import { type Call, callOf } from './commands/call.js'
import { evalSpec } from './commands/eval/index.js'
import { explainSpec } from './commands/explain/index.js'
import { generateSpec } from './commands/generate/index.js'
import { mergeSpec } from './commands/merge/index.js'
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
} from './commands/pipeline.js'
import { rescoreSpec } from './commands/rescore/index.js'
import { rewardScoreSpec } from './commands/reward-score/index.js'
import { rewardTrainSpec } from './commands/reward-train/index.js'
import { trainSpec } from './commands/train/index.js'

/** From preferences to an aligned, evaluated model, as `clha align`. */
export const align: Call<AlignResult> = callOf(
  alignSpec,
  async () => (await import('./commands/align/align.js')).align,
)

/** CLHA on rescored preferences, or SFT, as `clha train`. */
export const train: Call<TrainResult> = callOf(
  trainSpec,
  async () => (await import('./commands/train/train.js')).train,
)

/** Rewards and labels to ranked lists and an audit of the labels, as `clha rescore`. */
export const rescore: Call<RescoreResult> = callOf(
  rescoreSpec,
  async () => (await import('./commands/rescore/rescore.js')).rescore,
)

/** A reward model from preferences, as `clha reward train`. */
export const trainReward: Call<TrainResult> = callOf(
  rewardTrainSpec,
  async () => (await import('./commands/reward-train/reward-train.js')).rewardTrain,
)

/** Rewards for the answers of a data file, as `clha reward score`. */
export const scoreRewards: Call<ScoreResult> = callOf(
  rewardScoreSpec,
  async () => (await import('./commands/reward-score/reward-score.js')).rewardScore,
)

/** Further answers as candidates, as `clha augment`. */
export const augment: Call<AugmentResult> = callOf(
  augmentSpec,
  async () => (await import('./commands/augment/augment.js')).augment,
)

/** One example through the method, step by step, as `clha explain`. */
export const explain: Call<ExplainResult> = callOf(
  explainSpec,
  async () => (await import('./commands/explain/explain.js')).explain,
)

/** Models side by side on held-out prompts, as `clha eval`. */
export const evaluate: Call<EvalResult> = callOf(
  evalSpec,
  async () => (await import('./commands/eval/eval.js')).evalPipeline,
)

/** Answers to prompts, as `clha generate`. */
export const generate: Call<GenerateResult> = callOf(
  generateSpec,
  async () => (await import('./commands/generate/generate.js')).generatePipeline,
)

/** An adapter merged into its base, as `clha merge`. */
export const merge: Call<MergeResult> = callOf(
  mergeSpec,
  async () => (await import('./commands/merge/merge.js')).merge,
)

export type { Call, CallOptions, Settings } from './commands/call.js'
export type * from './commands/pipeline.js'
export { type EncodeOptions, encodeExamples, encodePrompts } from './data/encode/encode.js'
export type * from './data/encode/encoded.js'
export { type PackedBatch, packLists } from './data/encode/pack.js'
export type * from './data/example.js'
// Data
export { type ReadOptions, type ReadReport, readExamples } from './data/read/read-examples.js'
export { newCounts, type ReadCounts, type StreamItem, streamExamples } from './data/read/stream-examples.js'
export { type WriteFormat, type WriteReport, writeExamples } from './data/write/write-examples.js'
export { ClhaError } from './errors.js'
export { EXIT, type ExitCode } from './exit-codes.js'
export { generate as generateText } from './generate/generate.js'
export type { GeneratedAnswer, GenerateOptions, GenerateRequest } from './generate/requests.js'
export { type BradleyTerryOptions, bradleyTerryLoss } from './losses/bradley-terry.js'
// Losses
export { CLHA_DEFAULTS, type ClhaOptions, clhaDenominators, clhaLoss } from './losses/clha.js'
export { sftDenominators, sftLoss } from './losses/sft.js'
export type * from './losses/types.js'
export { attachAdapter, trainableWeights, withAdapterOff } from './models/adapters/adapter.js'
export type { AdapterConfig, LoraOptions } from './models/adapters/adapter-config.js'
export { loadAdapter, loadModelFolder } from './models/adapters/adapter-load.js'
export { mergeAdapter } from './models/adapters/adapter-merge.js'
export { adapterFiles } from './models/adapters/adapter-save.js'
export { type Decoder, decode, logits } from './models/decoder/decoder.js'
export { initModel, rewardModelFrom } from './models/decoder/init.js'
export { decoderScorer, type RewardScorer } from './models/decoder/reward-scorer.js'
export { candidateLogProbs, candidateRewards } from './models/decoder/score.js'
// Models
export { loadModel } from './models/folders/load-model.js'
export { loadRewardScorer } from './models/folders/load-reward.js'
export { ADAMW_DEFAULTS, type AdamWOptions, createAdamW } from './optim/adamw.js'
export { createOptimizer, type Optimizer, type OptimizerOptions } from './optim/optimizer.js'
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
