/** A reward model held against labels: how often it is right, where, and whether its beliefs come true. */
import type { RewardEvaluation } from '../evaluate/reward-evaluation.js'
import { numberEstimate, percentInterval } from '../show/numbers.js'
import { amount, percent } from '../show/units.js'
import { reliabilityTable } from './audit-tables.js'
import { reliabilityChart } from './kit/charts.js'
import { figure, figures, type Html, paragraphs, type Section, table } from './kit/html.js'
import { inkOf } from './kit/palette.js'
import { benchmarkTable, categoriesTable } from './reward-tables.js'

export function rewardEvaluationSection(found: RewardEvaluation | undefined): Section {
  const id = 'reward-evaluation'
  const heading = 'Against labels'
  if (!found) return { id, heading, body: '' }
  const tables = table(categoriesTable(found)) + (found.scores.length > 0 ? table(benchmarkTable(found)) : '')
  return { id, heading, body: paragraphs(rewardSentences(found)) + tables + reliability(found) }
}

/** What a reader takes away. */
export function rewardSentences({ accuracy, calibration }: RewardEvaluation): string[] {
  const size = `${percent(accuracy.share)}${percentInterval(accuracy.interval)} of ${amount(accuracy.total, 'label')}`
  const chance =
    accuracy.interval[0] > 0.5
      ? 'better than'
      : accuracy.interval[1] < 0.5
        ? 'worse than'
        : 'no different from'
  const first = `The reward puts ${size} right: ${chance} chance.`
  if (!calibration) return [first]
  const { temperature, temperatureInterval, lapse, lapseInterval, ece, atBound } = calibration
  if (atBound) return [first, 'Larger reward gaps make these labels no surer.']
  const unit = numberEstimate({ value: temperature, interval: temperatureInterval })
  const error = numberEstimate({ value: lapse, interval: lapseInterval })
  return [
    first,
    `A reward difference of ${unit} is a log-odds of 1; a share of ${error} of the pairs is at odds with it however large the difference. Expected calibration error: ${numberEstimate({ value: ece }, 3)}.`,
  ]
}

function reliability({ calibration }: RewardEvaluation): Html {
  if (!calibration || calibration.atBound || calibration.reliability.length === 0) return ''
  const chart = reliabilityChart('Reliability: do beliefs come true?', [
    { label: 'reward', ink: inkOf(0), bins: calibration.reliability },
  ])
  return figures([figure(chart, reliabilityTable([calibration]))])
}
