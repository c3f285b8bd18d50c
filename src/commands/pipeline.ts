/** What a pipeline is, and what each gives back. */
import type { ResolvedConfig } from '../config/load-config.js'
import type { Explained } from '../rescore/explain.js'
import type { ExplainedLoss } from '../rescore/explain-loss.js'
import type { Ui } from '../terminal/ui.js'

/**
 * One command's work. What it says goes through `ui`; what it returns is the `--json` result, its keys written in
 * snake_case. It asks `stopRequested()` after every step, saves, and returns early when that is true.
 * @param input lines of standard input, for `chat`
 */
export type Pipeline<Result extends object = object> = (
  config: ResolvedConfig,
  ui: Ui,
  input: AsyncIterable<string>,
) => Promise<Result>

/** Training of any kind. */
export interface TrainResult {
  outputDir: string
  /** Folder of the model that came out: the best or the last checkpoint. */
  model: string
  /** Optimizer steps made. */
  steps: number
  /** A signal ended it before its time; it can be resumed. */
  stopped: boolean
  metrics: Record<string, number>
}

export interface AlignResult extends TrainResult {
  /** Path of the HTML report. */
  report?: string
}

export interface ScoreResult {
  answers: number
  /** Answers whose score was known already. */
  cached: number
  outputFile?: string
}

export interface AugmentResult {
  outputFile: string
  /** Lists in the file. */
  rows: number
  /** Answers that were wanted; equal prompts count once. */
  asked: number
  /** Those that an earlier run had. */
  known: number
  refused: number
  /** Answers by row, and what became of them. */
  answers: number
  empty: number
  duplicates: { data: number; sampled: number }
  cut: number
  kept: number
  /** Generated tokens. */
  tokens: number
}

/** One example, by step; answers are named by their places, and by `names`. */
export interface ExplainResult extends Explained {
  id: string
  file: string
  row: number
  mode: 'default' | 'legacy'
  /** T and e; in the default mode. */
  temperature?: number
  labelError?: number
  names: string[]
  /** With a model. */
  loss?: ExplainedLoss
}

export interface RescoreResult {
  outputDir: string
  pairs: { kept: number; doubtful: number; reversed: number }
  /** Fitted unit of the reward and error of the labels, where they were fitted. */
  rewardTemperature?: number
  labelError?: number
}

export interface EvalResult {
  /** By model name, then by metric. */
  metrics: Record<string, Record<string, number>>
  report?: string
}

export interface GenerateResult {
  answers: { prompt: unknown; answer: string; tokens: number; finishReason: string }[]
  outputFile?: string
}

export interface ExperimentResult {
  outputDir: string
  cells: number
  /** Cells with figures, those of earlier runs among them. */
  finished: number
  failed: number
  stopped: boolean
  /** Path of the HTML page. */
  report?: string
}

export interface MergeResult {
  /** Folder of the merged model. */
  exportDir: string
  /** Between the logits (or rewards) of adapter and merged model, before the weights are rounded to `dtype`. */
  largestDifference: number
  /** Largest absolute logit (or reward), to compare it with. */
  largestOutput: number
  /** Random tokens that were compared. */
  tokens: number
  dtype: string
}
