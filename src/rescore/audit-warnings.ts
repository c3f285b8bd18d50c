/** What in an audit should stop a reader before training starts, each with what to do. */
import type { AuditCounts } from './audit-parts.js'
import type { FoldCalibration } from './calibrate.js'

export interface AuditWarning {
  code: 'few_pairs' | 'useless_reward' | 'at_bound' | 'bad_fit'
  message: string
  hint: string
}

/** Below this share of contrasted pairs, training is little more than SFT. */
const FEW_PAIRS = 0.05
/** Fewer labels than this say nothing about a reward. */
const FEW_LABELS = 30

const percent = (share: number) => `${(100 * share).toFixed(1)} %`

/** Warnings about the whole, its sources and its calibrations, worst first. */
export function auditWarnings(
  total: AuditCounts,
  sources: Readonly<Record<string, AuditCounts>>,
  calibrations: readonly FoldCalibration[],
): AuditWarning[] {
  const named = Object.entries(sources)
  const parts: [string, AuditCounts][] = named.length > 1 ? named : []
  const whole = fewPairs('', total, calibrations.length > 0)
  return [
    ...(whole
      ? [whole]
      : parts.map(([name, part]) => fewPairs(` of ${name}`, part, calibrations.length > 0))),
    ...[['', total] as [string, AuditCounts], ...parts].map(([name, part]) => uselessReward(name, part)),
    ...calibrations.flatMap((calibration) => [atBound(calibration), badFit(calibration)]),
  ].filter((warning) => warning !== undefined)
}

function fewPairs(where: string, { pairs }: AuditCounts, calibrated: boolean): AuditWarning | undefined {
  if (pairs.total === 0 || pairs.contrasted >= FEW_PAIRS * pairs.total) return undefined
  const { contrasted, total } = pairs
  return {
    code: 'few_pairs',
    message: `ONLY ${percent(contrasted / total)} OF THE PAIRS${where} ARE CONTRASTED (${contrasted} of ${total}): training on them is SFT with little else.`,
    hint: calibrated
      ? 'Lower `min_confidence`, or get a better reward model; with `label_source: human`, `min_confidence` must be at most 1 - label_error.'
      : 'A fixed threshold on raw rewards depends on the reward model: lower `reward_threshold`, or leave the legacy mode, which calibrates it.',
  }
}

function uselessReward(name: string, { agreement, labels }: AuditCounts): AuditWarning | undefined {
  if (labels.total < FEW_LABELS || agreement.interval[0] > 0.5 || agreement.share === null) return undefined
  return {
    code: 'useless_reward',
    message: `The reward agrees with ${percent(agreement.share)} of ${labels.total} labels${name && ` of ${name}`}: no better than a coin.`,
    hint: 'Check the prompt format of the reward model and the direction of the labels before you trust any order.',
  }
}

function atBound({
  fold,
  atBound: edges,
  temperature,
  labelError,
}: FoldCalibration): AuditWarning | undefined {
  if (edges.length === 0) return undefined
  return {
    code: 'at_bound',
    message: `Fold ${fold}: the fit stopped at the edge of what it allows (${edges.map((edge) => `\`${edge}\``).join(', ')}; temperature ${temperature.toPrecision(3)}, label_error ${labelError.toPrecision(3)}).`,
    hint: 'The rewards tell little about the labels, or nearly everything: fix `label_error` or `reward_temperature`, or give more labelled pairs.',
  }
}

/** Each bin misses its 95 % interval once in 20 times by chance; four misses of ten are no chance. */
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
