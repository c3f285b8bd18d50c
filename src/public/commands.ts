/** The commands as functions: a config in, what the command line prints as a result out. */
import type { AlignResult } from '../commands/align/align-result.js'
import { alignCommand } from '../commands/align/index.js'
import type { AugmentResult } from '../commands/augment/augment.js'
import { augmentCommand } from '../commands/augment/index.js'
import { type Call, callOf } from '../commands/call.js'
import type { EvalResult } from '../commands/eval/eval.js'
import { evalCommand } from '../commands/eval/index.js'
import type { ExplainResult } from '../commands/explain/explain.js'
import { explainCommand } from '../commands/explain/index.js'
import type { GenerateResult } from '../commands/generate/generate.js'
import { generateCommand } from '../commands/generate/index.js'
import { mergeCommand } from '../commands/merge/index.js'
import type { MergeResult } from '../commands/merge/merge.js'
import { rescoreCommand } from '../commands/rescore/index.js'
import type { RescoreResult } from '../commands/rescore/rescore.js'
import { rewardScoreCommand } from '../commands/reward-score/index.js'
import type { ScoreResult } from '../commands/reward-score/reward-score.js'
import { rewardTrainCommand } from '../commands/reward-train/index.js'
import { trainCommand } from '../commands/train/index.js'
import type { TrainResult } from '../stations/fit/train-result.js'

/**
 * From preferences to an aligned, evaluated model, as `clha align`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { model, report } = await align({ modelNameOrPath: 'path/to/model', trainDataset: 'prefs.jsonl' })
 * ```
 */
export const align: Call<AlignResult> = callOf(alignCommand)

/**
 * A model trained with CLHA on rescored preferences, with SFT or another method, as `clha train`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { model, steps } = await train({ config: 'my.yaml', learningRate: 5e-7 })
 * ```
 */
export const train: Call<TrainResult> = callOf(trainCommand)

/**
 * Rewards and labels to ranked lists and an audit of the labels, as `clha rescore`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts
 * const rows = [1, 2, 3].map((i) => ({ prompt: `${i}?`, chosen: 'yes', rejected: 'no', score_chosen: 2, score_rejected: -2 }))
 * writeFileSync('prefs.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
 * const { pairs } = await rescore({ trainDataset: 'prefs.jsonl', outputDir: 'out', labelError: 0.25, rewardTemperature: 1 })
 * pairs // { kept: 3, doubtful: 0, reversed: 0 }
 * ```
 */
export const rescore: Call<RescoreResult> = callOf(rescoreCommand)

/**
 * A reward model from preferences, as `clha reward train`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { model, metrics } = await trainReward({ config: 'my.yaml', folds: 1 })
 * ```
 */
export const trainReward: Call<TrainResult> = callOf(rewardTrainCommand)

/**
 * Rewards for the answers of a data file, as `clha reward score`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { answers } = await scoreRewards({ trainDataset: 'prefs.jsonl', rewardModel: 'path/to/reward-model' })
 * ```
 */
export const scoreRewards: Call<ScoreResult> = callOf(rewardScoreCommand)

/**
 * Further answers as candidates, as `clha augment`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { kept } = await augment({ trainDataset: 'prefs.jsonl', answersFile: 'answers.jsonl' })
 * ```
 */
export const augment: Call<AugmentResult> = callOf(augmentCommand)

/**
 * One example through the method, step by step, as `clha explain`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { order } = await explain({ trainDataset: 'runs/my/rescored.jsonl', row: 17 })
 * ```
 */
export const explain: Call<ExplainResult> = callOf(explainCommand)

/**
 * Models side by side on held-out prompts, as `clha eval`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { metrics } = await evaluate({ modelNameOrPath: 'runs/my', baseline: 'start', evalDataset: 'test.jsonl' })
 * ```
 */
export const evaluate: Call<EvalResult> = callOf(evalCommand)

/**
 * Answers to prompts, as `clha generate`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { answers } = await generate({ modelNameOrPath: 'runs/my', prompt: 'What is the capital of Peru?' })
 * ```
 */
export const generate: Call<GenerateResult> = callOf(generateCommand)

/**
 * An adapter merged into its base, as `clha merge`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const { largestDifference } = await merge({ modelNameOrPath: 'runs/my', exportDir: 'models/my' })
 * ```
 */
export const merge: Call<MergeResult> = callOf(mergeCommand)

export type { Call, CallOptions, Settings } from '../commands/call.js'
export { ClhaError } from '../errors.js'
export { EXIT, type ExitCode } from '../exit-codes.js'
export { createUi, type Ui } from '../terminal/ui.js'
export type {
  AlignResult,
  AugmentResult,
  EvalResult,
  ExplainResult,
  GenerateResult,
  MergeResult,
  RescoreResult,
  ScoreResult,
  TrainResult,
}
