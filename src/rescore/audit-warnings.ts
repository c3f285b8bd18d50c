/** What in an audit should stop a reader before training starts, each with what to do. */
import { percent } from '../show/units.js'
import { wilson } from '../statistics/intervals.js'
import type { AuditCounts, AuditedLengths } from './audit-parts.js'
import type { LabelSource } from './beliefs.js'
import type { FoldCalibration } from './calibrate.js'
import type { Expected } from './expected.js'

export interface AuditWarning {
  code:
    | 'few_pairs'
    | 'useless_reward'
    | 'reversed_reward'
    | 'harmful_reward'
    | 'length_reward'
    | 'idle_scorer'
    | 'copies'
    | 'prompts_again'
    | 'at_bound'
    | 'bad_fit'
  message: string
  hint: string
}

/** Prompts and pairs that come again. */
export interface PairsAgain {
  lists: number
  prompts: number
  /** Pairs that stand in several rows, and how many of them have rows that are taken for copies of one label. */
  pairs: number
  copies: number
  /** Rows that a labelled pair stands in, mean. */
  rowsAPair: number
}

/** What the warnings look at. */
export interface Audited {
  total: AuditCounts
  sources: Readonly<Record<string, AuditCounts>>
  calibrations: readonly FoldCalibration[]
  length?: AuditedLengths
  expected?: Expected
  again?: PairsAgain
  labelSource?: LabelSource
}

/** Below this share of contrasted pairs, training is little more than SFT. */
const FEW_PAIRS = 0.05
/** Fewer labels than this say nothing about a reward. */
const FEW_LABELS = 30
/** From this share on, prompts that come again are worth a word. */
const MANY_AGAIN = 0.1
/** A reward whose differences follow those of length this closely is a reward for length. */
export const LENGTH_DRIVEN = 0.8
/** So many more contrasted pairs than labels with the longer answer in front change what a model learns of length. */
const LONGER = 0.15
/** A reward that is expected to be right less often than the labels by this much would harm them, were it to decide. */
const HARMFUL = 0.05

/** What rests on a reward where the labels alone order the answers. */
const GATE_ALONE =
  'Labels alone order the answers (`label_source: human`), but the SFT gate goes by the reward unless it is off: `sft_gate: off`.'

/** Warnings about the whole, its sources and its calibrations, worst first. */
export function auditWarnings(audited: Audited): AuditWarning[] {
  const { total, sources, calibrations, length, again } = audited
  const named = Object.entries(sources)
  const parts: [string, AuditCounts][] = named.length > 1 ? named : []
  const whole = fewPairs('', total, audited)
  // Pairs of one prompt tell less of a reward than as many prompts would, and rows of one pair nothing more.
  const effect =
    Math.max(1, ...calibrations.map(({ designEffect = 1 }) => designEffect)) * (again?.rowsAPair ?? 1)
  return [
    ...(whole ? [whole] : parts.map(([name, part]) => fewPairs(` of ${name}`, part, audited))),
    ...[['', total] as [string, AuditCounts], ...parts].map(([name, part]) =>
      uselessReward(name, part, effect, audited.labelSource),
    ),
    harmfulReward(audited),
    length && lengthReward(length, audited.labelSource),
    ...(again ? [copies(again), promptsAgain(again)] : []),
    ...calibrations.flatMap((calibration) => [atBound(calibration), badFit(calibration)]),
  ].filter((warning) => warning !== undefined)
}

function fewPairs(where: string, { pairs }: AuditCounts, audited: Audited): AuditWarning | undefined {
  if (pairs.total === 0 || pairs.contrasted >= FEW_PAIRS * pairs.total) return undefined
  const { contrasted, total } = pairs
  return {
    code: 'few_pairs',
    message: `Only ${percent(contrasted / total)} of the pairs${where} are contrasted (${contrasted} of ${total}): training on them is SFT with little else.`,
    hint: wayToPairs(audited),
  }
}

function wayToPairs({ calibrations, labelSource }: Audited): string {
  if (calibrations.length === 0)
    return 'A fixed threshold on raw rewards depends on the reward model: lower `reward_threshold`, or leave the legacy mode, which calibrates it.'
  if (labelSource === 'human')
    return 'With `label_source: human` a belief is 1 - label_error at most: lower `min_confidence` to that.'
  if (calibrations.every(({ determined }) => determined))
    return 'Lower `min_confidence`, or get a better reward model; `label_source: human` takes the labels as they are.'
  return 'How often labels err is not known: second labels tell (`clha relabel`, `relabels`), or set `label_error`. Else lower `min_confidence`, or take the labels as they are (`label_source: human`).'
}

function uselessReward(
  name: string,
  { agreement, labels }: AuditCounts,
  effect: number,
  labelSource?: LabelSource,
): AuditWarning | undefined {
  if (labels.total < FEW_LABELS || agreement.share === null) return undefined
  const [low, high] = wilson(agreement.count / effect, agreement.total / effect)
  if (low > 0.5) return undefined
  const of = name && ` of ${name}`
  if (high < 0.5) {
    return {
      code: 'reversed_reward',
      message: `The reward prefers the other answer in ${percent(1 - agreement.share)} of ${labels.total} labels${of}: its sign is reversed, or the labels are.`,
      hint: 'Look at a few pairs: turn the rewards round if they are costs, and check that chosen and rejected are not swapped.',
    }
  }
  return {
    code: 'useless_reward',
    message: `The reward agrees with ${percent(agreement.share)} of ${labels.total} labels${of}: no better than a coin.`,
    hint:
      labelSource === 'human'
        ? `${GATE_ALONE} Check the prompt format of the reward model.`
        : 'Use the labels alone (`label_source: human`), or check the prompt format of the reward model before you trust any order of it.',
  }
}

/** The order would be worse than the labels if rewards alone made it. */
function harmfulReward({ expected, labelSource }: Audited): AuditWarning | undefined {
  if (!expected || labelSource !== 'reward') return undefined
  const { low, high } = expected
  const lost = Math.min(low.labels - low.reward, high.labels - high.reward)
  if (lost < HARMFUL) return undefined
  return {
    code: 'harmful_reward',
    message: `Ordered by reward alone, fewer pairs are right than by the labels: by ${percent(lost)} at least, whatever the labels' error is.`,
    hint: 'Take labels and rewards together: leave `label_source` as it is by default.',
  }
}

function lengthReward(
  { rewardLengthWithin: r, chosenLonger, contrastedLonger }: AuditedLengths,
  labelSource?: LabelSource,
): AuditWarning | undefined {
  const driven = r !== null && Math.abs(r) >= LENGTH_DRIVEN
  const shift =
    chosenLonger.share === null || contrastedLonger.share === null
      ? 0
      : contrastedLonger.share - chosenLonger.share
  const shifted = Math.abs(shift) >= LONGER && contrastedLonger.total >= FEW_LABELS
  if (!driven && !shifted) return undefined
  return {
    code: 'length_reward',
    message: driven
      ? `Within pairs the reward follows the length of the answers (correlation ${r.toFixed(2)}).`
      : `The better answer is the longer one in ${percent(contrastedLonger.share ?? 0)} of the contrasted pairs, and in ${percent(chosenLonger.share ?? 0)} of the labels.`,
    hint: lengthHint(driven, labelSource),
  }
}

function lengthHint(driven: boolean, labelSource?: LabelSource): string {
  const learns = 'A model trained on these pairs learns length.'
  if (labelSource !== 'human')
    return `${learns} Take another reward model, or the labels alone (\`label_source: human\`).`
  return driven ? GATE_ALONE : `${learns} Lower \`min_confidence\`: it leaves the other labels alone.`
}

function copies({ copies: taken }: PairsAgain): AuditWarning | undefined {
  if (taken === 0) return undefined
  return {
    code: 'copies',
    message: `${taken} pairs stand in several rows that never contradict one another: taken for copies of one label, not for second labels.`,
    hint: 'If different people judged them, say who in a column `annotator`; rows of one annotator count once.',
  }
}

function promptsAgain({ lists, prompts }: PairsAgain): AuditWarning | undefined {
  if (lists - prompts < MANY_AGAIN * lists) return undefined
  return {
    code: 'prompts_again',
    message: `${lists} lists have only ${prompts} different prompts.`,
    hint: 'Pairs of one prompt are no independent evidence: intervals count prompts. Training sees these prompts more often than others.',
  }
}

/** T at its edge is no fault of the labels: only the order of the rewards tells then, or nothing does, and that is said above. */
function atBound({ fold, atBound: edges, labelError }: FoldCalibration): AuditWarning | undefined {
  if (!edges.includes('label_error')) return undefined
  return {
    code: 'at_bound',
    message: `Fold ${fold}: the fit stopped at the edge of what it allows (\`label_error\` ${labelError.toPrecision(3)}).`,
    hint: 'These labels are hardly better than coins: look at some of them, or give more second labels.',
  }
}

/** Each bin misses its 95 % interval once in 20 times by chance; four misses in ten are unlikely to be chance. */
function badFit({ fold, reliability }: FoldCalibration): AuditWarning | undefined {
  const missed = reliability.filter(
    (bin) => bin.predicted < bin.interval[0] || bin.predicted > bin.interval[1],
  )
  if (reliability.length < 10 || missed.length < 4) return undefined
  return {
    code: 'bad_fit',
    message: `Fold ${fold}: in ${missed.length} of ${reliability.length} reliability bins the labels are not what the calibration predicts.`,
    hint: 'Beliefs may be off: look at the reliability table, and calibrate sources with different annotators apart.',
  }
}
