/** `clha align`: from preferences to an aligned model that was compared with what it started from. */

import { usageError } from '../../errors.js'
import { loadTrainable } from '../../load/trainable.js'
import { terminalTable, verdicts } from '../../report/result-summary.js'
import type { AlignReport, StationReport } from '../../report/types.js'
import { writeReports } from '../../report/write-reports.js'
import { inOutputDir } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession, type Session } from '../../session/session.js'
import { Stopped } from '../../session/stopped.js'
import { count } from '../../show/units.js'
import { showTable } from '../../stations/judge/eval-report.js'
import { loadData } from '../../stations/read/load-data.js'
import { loadSplits } from '../../stations/read/splits.js'
import type { Ui } from '../../terminal/ui.js'
import type { AlignResult, Pipeline } from '../pipeline.js'
import { evaluateAligned } from './align-evaluate.js'
import { alignReport } from './align-report.js'
import { alignStations, station } from './align-stations.js'

export const align: Pipeline<AlignResult> = async (config, ui) => {
  const session = await openSession(config, ui)
  return inOutputDir(session.options, true, () => alignIn(session))
}

async function alignIn(session: Session): Promise<AlignResult> {
  const { options, config, ui } = session
  if (options.method !== 'clha') {
    const text = `method: ${options.method}: clha align aligns with CLHA`
    throw usageError(text, 'for SFT alone: clha train --method sft')
  }
  if (options.modelNameOrPath === undefined && options.sftNumTrainEpochs === 0) {
    throw usageError(
      'model_config starts from random weights and sft_num_train_epochs is 0',
      'a new model needs an SFT start',
    )
  }
  const stations: StationReport[] = []
  if (options.adapterNameOrPath !== undefined) {
    const text = 'adapter_name_or_path: clha align starts from one folder'
    throw usageError(text, "name the adapter's folder as model_name_or_path; it names its base")
  }
  const lm = await loadTrainable(session)
  try {
    const { train, test, files } = await station(session, stations, 'data', async () => {
      const splits = await loadSplits(session, 2, 'align')
      ui.line(
        `${count(splits.train.length)} lists to train on · ${count(splits.test.length)} held out for the evaluation`,
      )
      return splits
    })
    const { sftDataset } = options
    const demonstrations =
      sftDataset === undefined ? undefined : (await loadData(session, sftDataset, 1)).examples
    await writeConfig(session)
    const aligned = await alignStations(
      session,
      lm,
      { train, files, demonstrations, compareSft: false },
      stations,
    )
    const evaluation =
      test.length === 0
        ? undefined
        : await station(session, stations, 'evaluate', () =>
            evaluateAligned(session, lm, aligned, { test, temperatures: [options.temperature] }),
          )
    aligned.dispose()
    if (!evaluation)
      ui.warn('nothing was held out, so nothing is evaluated', 'set test_fraction, or give an eval_dataset')
    const report = alignReport(session, aligned, evaluation, {
      title: 'Alignment',
      command: config.file && `clha align ${config.file}`,
      train,
      test,
      notes: ['Intervals are 95 %, over prompts, of one seed.'],
    })
    showReport(ui, report)
    const written = await writeReports(options.outputDir, report)
    ui.line(`report   ${written.html}`)
    ui.line(`model    ${aligned.clha}`)
    const last = aligned.curves[aligned.curves.length - 1].run
    return {
      outputDir: options.outputDir,
      model: aligned.clha,
      steps: last.outcome.step,
      stopped: false,
      metrics: last.outcome.metrics,
      report: written.html,
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    ui.line(`stopped; what is done is kept. Go on with the same command and --resume-from-checkpoint true`)
    return { outputDir: options.outputDir, model: '', steps: 0, stopped: true, metrics: {} }
  } finally {
    lm.model.dispose()
  }
}

/** The short table that ends an alignment, and what can be concluded from it. */
export function showReport(ui: Ui, report: AlignReport): void {
  if (!report.evaluation) return
  showTable(ui, terminalTable(report))
  for (const line of verdicts(report.evaluation)) ui.line(line)
}
