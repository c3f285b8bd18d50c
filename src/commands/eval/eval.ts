/** `clha eval`: models side by side on held-out prompts. */

import { partOf } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { usageError } from '../../errors.js'
import { evaluationSet } from '../../evaluate/evaluation-set.js'
import { hubLabel } from '../../hub/cache.js'
import { writeReports } from '../../report/write-reports.js'
import { type Session, withSession } from '../../session/session.js'
import { count } from '../../show/units.js'
import { answersOfModels, checkModels, lazyScorers, modelPaths } from '../../stations/judge/eval-models.js'
import { evalReport, metricsOf, showEvaluation } from '../../stations/judge/eval-report.js'
import { evaluateSystems } from '../../stations/judge/evaluation.js'
import { loadData } from '../../stations/read/load-data.js'
import { loadSplits } from '../../stations/read/splits.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface EvalResult {
  /** By model name, then by metric. */
  metrics: Record<string, Record<string, number>>
  report?: string
}

export const evalPipeline: Pipeline<EvalResult, 'model_name_or_path'> = withSession(async (session) => {
  const { options, ui } = session
  checkModels(options)
  const set = evaluationSet(await heldOut(session), options.evalPrompts, options.seed)
  const models = modelPaths(options)
  ui.station('evaluate', `${count(set.prompts.length)} held-out prompts`)
  if (lazyScorers(session).length === 0) {
    ui.warn(
      'no reward model judges: only BLEU against the preferred answers and figures of the text are given',
      'name one with --reward-model, --eval-reward-model or --reward-endpoint',
    )
  }
  const systems = await answersOfModels(session, set)
  const evaluation = await evaluateSystems(session, {
    ...set,
    // Baselines first: differences are then the model minus what it is compared with.
    systems: [...systems.slice(1), systems[0]],
    scorers: lazyScorers(session),
    baseline: hubLabel(models[1] ?? models[0]),
  })
  const report = evalReport(session, evaluation)
  showEvaluation(ui, report)
  const files = await writeReports(options.outputDir, report)
  ui.line(`report  ${files.html}`)
  return { metrics: metricsOf(evaluation.report), report: files.html }
})

/** eval_dataset, else the test prompts of train_dataset: those that `align` keeps for its evaluation. */
async function heldOut(session: Session): Promise<readonly Example[]> {
  const { options } = session
  if (options.evalDataset !== undefined) return (await loadData(session, options.evalDataset, 1)).examples
  const { corpus } = await loadSplits(session, 1, 'eval')
  const { examples: test } = partOf(corpus, 'test')
  if (test.length > 0) return test
  throw usageError(
    `test_fraction ${options.testFraction} of train_dataset leaves no prompt to evaluate on`,
    'raise test_fraction, or name an eval_dataset',
  )
}
