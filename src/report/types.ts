/** The shape of report.json: everything a report shows, plain JSON, every part optional but the header. */
import type { MeasuredSystems } from '../evaluate/measures.js'
import type { RewardEvaluation } from '../evaluate/reward-evaluation.js'
import type { AuditReport } from '../rescore/audit.js'
import type { Estimate } from '../statistics/estimate.js'
import type { VerdictFigures } from '../verdicts/figures.js'
import type { RaterQuality } from '../verdicts/rater-quality.js'
import type { Judgement } from './verdicts/judgements.js'

/** What was run, when, with what. */
export interface ReportHeader {
  title: string
  /** The command line that makes this report again. */
  command?: string
  /** ISO 8601. */
  created?: string
  /** Version of the product. */
  version?: string
  seeds?: number[]
  machine?: MachineInfo
  /** What a reader must know to judge the numbers, e.g. "intervals over prompts, one seed". */
  notes?: string[]
  warnings?: ReportWarning[]
}

/** What is wrong, and what to do about it. */
export interface ReportWarning {
  message: string
  hint?: string
}

export interface MachineInfo {
  cpu?: string
  threads?: number
  /** Bytes of memory of the machine. */
  memoryBytes?: number
  libtorch?: string
}

/** One station of a pipeline. */
export interface StationReport {
  name: string
  seconds: number
  detail?: string
}

export interface DataReport {
  pairs: number
  /** Share of labels reversed on purpose, in [0, 1]. */
  noise?: number
  sources?: { source: string; pairs: number; testPrompts?: number }[]
}

export interface ModelReport {
  parameters: number
  /** E.g. "llama, 4 layers, width 192, 252 words". */
  shape?: string
}

/** One training run. Curves whose names differ in their last number only ("reward fold 0", "… 1") share a chart. */
export interface Curve {
  name: string
  /** Keys of `points` to draw; `x/chosen` and `x/rejected` share a chart. */
  metrics: string[]
  points: CurvePoint[]
  /** What was said while it ran. */
  warnings?: ReportWarning[]
}

export interface CurvePoint {
  step: number
  [metric: string]: number | null
}

/** Calibrations of the folds come with the audit. */
export interface RewardModelReport {
  folds: { name: string; accuracy: Estimate; pairs?: number }[]
}

/** One system on one source. `source: 'total'` is over all prompts. */
export interface EvaluationRow {
  system: string
  source: string
  /** How the answers were decoded, e.g. 'greedy' or 'sampled'. */
  decoding?: string
  prompts: number
  /** Reward of the oracle, where the world has one. */
  trueReward?: Estimate
  /** Reward of the scorer that training used. */
  reward?: Estimate
  /** Reward of a scorer that training never saw. */
  secondReward?: Estimate
  /** Mean of sigmoid(training reward), as the paper reports it. */
  sigmoidReward?: Estimate
  /** Prompt-wise comparison with the baseline; `rate` counts a tie as half a win. */
  againstStart?: { wins: number; ties: number; losses: number; rate?: Estimate }
  /** Mean per answer, in the report's `lengthUnit`. */
  length?: Estimate
  /** Share of answers that ended by themselves, where it is known. */
  ended?: Estimate
  /** Sampled KL divergence from the start, nats an answer, over all prompts. */
  kl?: Estimate
  /** Mean sentence BLEU over characters, as the paper's code computes it. */
  bleu?: Estimate
  /** Different word pairs over all word pairs. */
  distinct?: Estimate
  /** Share of an answer's word 4-grams that it said before. */
  repetition?: Estimate
}

export interface EvaluationReport {
  /** The system that `againstStart` compares with. */
  baseline: string
  /** 'tokens' when absent. */
  lengthUnit?: 'tokens' | 'words' | 'characters'
  rows: EvaluationRow[]
  /** Paired differences a − b over the same prompts. */
  differences?: { a: string; b: string; metric: string; difference: Estimate }[]
  /** What every scorer says of every system, whatever its name. */
  scorers?: ScorerRow[]
  /** How far scorers agree. */
  agreement?: ScorerPair[]
}

/** One scorer on one system and source. */
export interface ScorerRow {
  scorer: string
  system: string
  /** `total` is over all prompts: each source weighs as much as it has prompts. */
  source: string
  decoding?: string
  prompts: number
  reward: Estimate
  /** Mean of the logistic of the reward, 0 to 1. */
  sigmoid: Estimate
  /** Of every system but the baseline. */
  against?: { wins: number; ties: number; losses: number; rate: Estimate }
  /** Win rate at equal length; over all prompts alone. */
  lengthControlled?: Estimate
  /** Of reward and characters over the answers, -1 to 1. */
  lengthCorrelation: number | null
}

/** Two scorers on the same answers. */
export interface ScorerPair {
  a: string
  b: string
  /** Whose answers. */
  answers?: string
  count?: number
  pearson?: number | null
  spearman?: number | null
  /** Share of answer pairs that both put in the same order. */
  sameOrder?: Estimate
}

/** One prompt and what each system answered; `rewards` by scorer name. */
export interface SampleReport {
  prompt: string
  source?: string
  answers: { system: string; text: string; rewards: Record<string, number | null> }[]
}

/** What `clha compare` adds: what the systems are, what differs in their settings, verdicts, cases. */
export interface ComparisonReport {
  systems: { name: string; path: string; kind: 'model' | 'answers'; answers: number; made: number }[]
  /** Settings of runs that differ; null where a run has none of that name. */
  settings: { key: string; values: (string | null)[] }[]
  /** Verdicts that were given to these answers, or come from a file, by kind of rater. */
  verdicts: { who: string; file: string; figures: VerdictFigures; raters: RaterQuality[] }[]
  cases: CaseReport[]
}

/** A prompt with every system's answer, and why it is shown. */
export interface CaseReport extends SampleReport {
  why: 'worst' | 'random'
  note?: string
}

/** Means over whole repetitions of the run. */
export interface SeedsReport {
  seeds: number[]
  rows: { system: string; metric: string; mean: Estimate; values: (number | null)[] }[]
}

export interface EvalReport extends ReportHeader {
  /** For `clha gate`. */
  measures?: MeasuredSystems
  /** Is it better? By system, the most trusted judge first. */
  judgements?: Judgement[]
  comparison?: ComparisonReport
  rewardEvaluation?: RewardEvaluation
  evaluation?: EvaluationReport
  samples?: SampleReport[]
  multiSeed?: SeedsReport
}

export interface AlignReport extends EvalReport {
  stations?: StationReport[]
  data?: DataReport
  model?: ModelReport
  curves?: Curve[]
  rewardModel?: RewardModelReport
  audit?: AuditReport
}
