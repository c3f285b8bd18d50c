/** `clha eval`: models side by side on held-out prompts. */

import { partOf } from '../../data/corpus.js'
import { type Example, isLabelled } from '../../data/example.js'
import { promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { type EvaluationSet, evaluationSet } from '../../evaluate/evaluation-set.js'
import { writeReports } from '../../report/write-reports.js'
import { type Session, withSession } from '../../session/session.js'
import { amount } from '../../show/units.js'
import {
  answersOfModels,
  checkModels,
  evaluatedModels,
  lazyScorers,
  sayFamily,
} from '../../stations/evaluate/eval-models.js'
import { evalReport, metricsOf, showEvaluation } from '../../stations/evaluate/eval-report.js'
import { evaluateSystems } from '../../stations/evaluate/evaluation.js'
import {
  type Likelihoods,
  likelihoodsOf,
  pairFigures,
  pairLine,
  pairMetrics,
} from '../../stations/evaluate/pair-preferences.js'
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
  const examples = await heldOut(session)
  const set = evaluationSet(examples, options.evalPrompts, options.seed)
  const models = evaluatedModels(options)
  ui.station('evaluate', `${amount(set.prompts.length, 'held-out prompt')}`)
  const judged = lazyScorers(session).length > 0
  if (!judged) {
    ui.warn(
      'no reward model: BLEU against the preferred answers, text statistics, and the likelihood of labelled pairs are shown',
      'name one with --reward-model, --eval-reward-model or --reward-endpoint',
    )
  }
  sayFamily(session)
  const labelled = judged ? [] : asked(examples.filter(isLabelled), set)
  const found = new Map<string, Likelihoods>()
  const systems = await answersOfModels(session, set, async (lm, name) => {
    if (labelled.length > 0) found.set(name, await likelihoodsOf(session, lm, labelled, name))
  })
  const evaluation = await evaluateSystems(session, {
    ...set,
    // Baselines first: differences are then the model minus what it is compared with.
    systems: [...systems.slice(1), systems[0]],
    scorers: lazyScorers(session),
    baseline: (models[1] ?? models[0]).name,
  })
  const pairs = pairsOf(labelled, found, options.seed)
  const written = evalReport(session, evaluation)
  const report = { ...written, notes: [...(written.notes ?? []), ...pairs.lines] }
  showEvaluation(ui, report)
  for (const line of pairs.lines) ui.line(line)
  const files = await writeReports(options.outputDir, report)
  ui.line(`report  ${files.html}`)
  const metrics = Object.entries(metricsOf(evaluation.report))
  return {
    metrics: Object.fromEntries(metrics.map(([name, own]) => [name, { ...own, ...pairs.metrics[name] }])),
    report: files.html,
  }
})

/** Those whose prompts are evaluated on. */
function asked(examples: readonly Example[], { prompts }: EvaluationSet): Example[] {
  const keys = new Set(prompts.map(promptKey))
  return examples.filter(({ prompt }) => keys.has(promptKey(prompt)))
}

/** What the models think of the labelled pairs; of the first one also what it thinks beside each baseline. */
function pairsOf(examples: readonly Example[], found: ReadonlyMap<string, Likelihoods>, seed: number) {
  const lines: string[] = []
  const metrics: Record<string, Record<string, number>> = {}
  for (const [name, own] of found) {
    const figures = pairFigures(examples, own, { seed })
    if (!figures) continue
    lines.push(pairLine(name, figures))
    metrics[name] = pairMetrics(figures, 'pair')
  }
  const [[model, own] = [], ...baselines] = found
  for (const [against, base] of baselines) {
    const figures = own && pairFigures(examples, own, { seed, base })
    if (!figures || model === undefined) continue
    lines.push(pairLine(model, figures, against))
    if (against === baselines[0][0]) Object.assign(metrics[model], pairMetrics(figures, 'reward'))
  }
  return { lines, metrics }
}

/** eval_dataset, else the test prompts of train_dataset: those that `align` keeps for its evaluation. */
async function heldOut(session: Session): Promise<readonly Example[]> {
  const { options } = session
  if (options.evalDataset !== undefined) return (await loadData(session, options.evalDataset, 0)).examples
  const { corpus } = await loadSplits(session, 1, 'eval')
  const { examples: test } = partOf(corpus, 'test')
  if (test.length > 0) return test
  throw usageError(
    `test_fraction ${options.testFraction} of train_dataset leaves no prompt to evaluate on`,
    'raise test_fraction, or name an eval_dataset',
  )
}
