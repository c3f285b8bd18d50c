/** `clha rescore`: every answer scored, labels and rewards weighed, the labels audited. */
import { count } from '../terminal/units.js'
import { inOutputDir } from './claim.js'
import { loadData } from './data.js'
import { writeConfig } from './files.js'
import type { Pipeline, RescoreResult } from './pipeline.js'
import { scores } from './ranked-data.js'
import { rescoreStation } from './rescoring.js'
import { rescoredFile } from './scoring.js'
import { openSession, type Session } from './session.js'

export const rescore: Pipeline<RescoreResult> = async (config, ui) => {
  const session = await openSession(config, ui)
  return inOutputDir(session.options, false, () => rescoreIn(session))
}

async function rescoreIn(session: Session): Promise<RescoreResult> {
  const { ui } = session
  const { examples } = await loadData(session, session.options.trainDataset as string | string[], 2)
  ui.line(`${count(examples.length)} lists`)
  const scored = await scores(session, examples)
  const { audit, calibrations } = await rescoreStation(session, scored)
  await writeConfig(session)
  const { outputDir } = session.options
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
