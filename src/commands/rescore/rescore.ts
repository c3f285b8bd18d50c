/** `clha rescore`: every answer scored, labels and rewards weighed, the labels audited. */

import { corpusOf } from '../../data/corpus.js'
import { requireFreeTargets } from '../../files/targets.js'
import { requireCalibratable } from '../../rescore/rescore.js'
import { inOutputDir } from '../../session/claim.js'
import { required } from '../../session/needs.js'
import { writeConfig } from '../../session/outputs.js'
import { type Session, withSession } from '../../session/session.js'
import { amount } from '../../show/units.js'
import { rescoredFile } from '../../stations/rank/rescored-file.js'
import { rescoreOptions, rescoreStation } from '../../stations/rank/rescoring.js'
import { dataRead } from '../../stations/read/data-read.js'
import { loadData } from '../../stations/read/load-data.js'
import { withRelabels } from '../../stations/read/relabels.js'
import { keptScores } from '../../stations/score/kept-scores.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface RescoreResult {
  outputDir: string
  pairs: { kept: number; doubtful: number; reversed: number }
  /** Fitted unit of the reward and error of the labels, where they were fitted. */
  rewardTemperature?: number
  labelError?: number
}

export const rescore: Pipeline<RescoreResult> = withSession((session) =>
  inOutputDir(session.options, false, () => rescoreIn(session)),
)

async function rescoreIn(session: Session): Promise<RescoreResult> {
  const { ui } = session
  const trainDataset = required(session.options, 'trainDataset')
  const { outputDir } = session.options
  requireFreeTargets([rescoredFile(outputDir)], await dataRead(session.options, ['trainDataset', 'relabels']))
  const { examples: read } = await loadData(session, trainDataset, 2)
  const examples = await withRelabels(session, read)
  ui.line(`${amount(examples.length, 'list')}`)
  requireCalibratable(examples, rescoreOptions(session.options))
  const scored = await keptScores(session, corpusOf(examples))
  const { audit, calibrations } = await rescoreStation(session, scored)
  await writeConfig(session)
  ui.line(`report   ${outputDir}/audit.html`)
  ui.line(`lists    ${rescoredFile(outputDir)}`)
  const { kept, doubtful, reversed } = audit.total.labels
  return {
    outputDir,
    pairs: { kept, doubtful, reversed },
    rewardTemperature: calibrations[0]?.temperature,
    labelError: calibrations[0]?.labelError,
  }
}
