/** What `clha reward eval` says on the terminal. */
import type { RewardEvaluation } from '../../evaluate/reward-evaluation.js'
import { benchmarkTable, categoriesTable } from '../../report/reward-tables.js'
import { numberEstimate } from '../../show/numbers.js'
import { amount, percent } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'

export function sayRewardEvaluation(ui: Ui, found: RewardEvaluation): void {
  const { accuracy, calibration, bestOfN, lists } = found
  ui.table(categoriesTable(found))
  if (found.scores.length > 0) ui.table(benchmarkTable(found))
  const [low, high] = accuracy.interval.map((end) => percent(end))
  ui.line(`right on ${percent(accuracy.share)} (${low} to ${high}) of ${amount(accuracy.total, 'label')}`)
  if (bestOfN) ui.line(`best answer first in ${percent(bestOfN.share)} of ${amount(lists, 'list')}`)
  if (!calibration) {
    ui.line('too few labels, or too many equal rewards, to say how sure a reward gap makes')
    return
  }
  const { temperature, temperatureInterval, lapse, lapseInterval, ece, atBound } = calibration
  if (atBound) {
    ui.warn('larger reward gaps make these labels no surer: the reward says nothing of them, or the opposite')
    return
  }
  ui.line(
    `reward unit T ${numberEstimate({ value: temperature, interval: temperatureInterval })} · lapse ${numberEstimate({ value: lapse, interval: lapseInterval })} · ECE ${numberEstimate({ value: ece }, 3)}`,
  )
}
