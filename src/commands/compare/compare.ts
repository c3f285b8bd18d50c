/** `clha compare`: the same prompts, every system's answers, every judge there is, and where they part. */
import { join } from 'node:path'
import { checkIdle, GENERATE_KEYS } from '../../config/idle-keys.js'
import type { Prompt } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { evaluationSet } from '../../evaluate/evaluation-set.js'
import type { MeasuredSystems } from '../../evaluate/measures.js'
import { bestRole } from '../../evaluate/scorer-roles.js'
import { hashUnit } from '../../random.js'
import type { ComparisonReport, EvalReport } from '../../report/types.js'
import { writeReports } from '../../report/write-reports.js'
import { inOutputDir } from '../../session/claim.js'
import type { Needs } from '../../session/needs.js'
import { type Session, withSession } from '../../session/session.js'
import { shellPath } from '../../show/shell.js'
import { amount, count } from '../../show/units.js'
import { checkScorers, lazyScorers, sayFamily } from '../../stations/evaluate/eval-models.js'
import { reportHeader, scorersNote } from '../../stations/evaluate/eval-report.js'
import {
  type AnsweredSystem,
  decodingName,
  type Evaluation,
  evaluateSystems,
} from '../../stations/evaluate/evaluation.js'
import { namedScorers, type ScorerOptions } from '../../stations/evaluate/named-scorers.js'
import { loadData } from '../../stations/read/load-data.js'
import { questionKey } from '../../stations/systems/read-answers.js'
import { textsOf } from '../own-flags.js'
import type { Pipeline } from '../pipeline-spec.js'
import { casesOf } from './cases.js'
import { openRecord, recordScores, refuseOther } from './recorded.js'
import { sayComparison } from './say-compare.js'
import { settingsDifferences } from './settings.js'
import { answersOf, type ComparedSystem, openSystems, sharedPrompts } from './systems.js'
import { judgementsOfVerdicts, ownVerdicts, peopleFirst, verdictsOf, withVerdicts } from './verdicts.js'

export interface CompareResult {
  prompts: number
  measures?: MeasuredSystems
  /** The file of answers and verdicts. */
  comparison: string
  report: string
}

export const compareSystems = (own: Record<string, unknown>): Pipeline<CompareResult> =>
  withSession(async (session) => {
    checkScorers(session.options)
    const systems = await openSystems(textsOf(own.names), session.ui)
    if (systems.every(({ file }) => file))
      checkIdle(session, [
        { keys: GENERATE_KEYS, reason: 'only files of answers are compared, and no model answers' },
      ])
    return inOutputDir(session.options, false, () => compareIn(session, systems, textsOf(own.verdicts)))
  })

async function compareIn(
  session: Session,
  systems: readonly ComparedSystem[],
  files: readonly string[],
): Promise<CompareResult> {
  const { options, ui } = session
  const names = systems.map(({ name }) => name)
  const [baseline] = names
  const set = await promptsOf(session, systems)
  // Before anything is computed: a file may be no comparison, or of other systems or answers.
  ownVerdicts(files, { prompts: set.prompts, systems: systems.map((one) => given(one, set.prompts)) })
  ui.station('compare', `${amount(systems.length, 'system')} on ${amount(set.prompts.length, 'prompt')}`)
  sayFamily(session)
  refuseOther(options.outputDir, set.prompts, names)
  const answeredBy = await answeredSystems(session, systems, set.prompts)
  sayTwins(session, answeredBy)
  // Opened before anything is scored: the folder may hold another comparison.
  const record = openRecord(options.outputDir, { ...set, systems: answeredBy.map(({ system }) => system) })
  const evaluation = await evaluateSystems(session, {
    ...set,
    systems: answeredBy.map(({ system }) => system),
    scorers: lazyScorers(session),
    baseline,
  })
    .then((found) => {
      recordScores(record, found.scored, namedScorers(options))
      return found
    })
    .finally(record.log.close)
  const compared = { prompts: set.prompts, systems: answeredBy.map(({ system }) => system) }
  const verdicts = peopleFirst(verdictsOf([record.path, ...files], compared, session))
  const report = reportOf(session, evaluation, {
    systems: systems.map(({ name, path, file }, i) => ({
      name,
      path,
      kind: file ? 'answers' : 'model',
      answers: set.prompts.length,
      made: answeredBy[i].made,
    })),
    settings: settingsDifferences(systems),
    verdicts,
    cases: casesIn(evaluation, baseline, options.seed),
  })
  sayComparison(ui, report)
  const written = await writeReports(options.outputDir, report)
  ui.line(`report  ${written.html}`)
  return {
    prompts: set.prompts.length,
    ...(report.measures && { measures: report.measures }),
    comparison: record.path,
    report: written.html,
  }
}

/** The answers that are there before a model is asked. */
const given = ({ name, file }: ComparedSystem, prompts: readonly Prompt[]) => ({
  name,
  answers: prompts.map((prompt) => file?.rows.get(questionKey(prompt))),
})

async function answeredSystems(
  session: Session,
  systems: readonly ComparedSystem[],
  prompts: readonly Prompt[],
): Promise<{ system: AnsweredSystem; made: number }[]> {
  const { outputDir, temperature } = session.options
  const decoding = decodingOf(systems, temperature)
  const found: { system: AnsweredSystem; made: number }[] = []
  for (const system of systems) {
    const { answers, made } = await answersOf(session, system, prompts, join(outputDir, 'answers'))
    found.push({ system: { name: system.name, decoding, answers }, made })
  }
  return found
}

/** Two systems that say the same are no better and no worse, however many prompts there are. */
function sayTwins(
  { ui }: Pick<Session, 'ui'>,
  [baseline, ...others]: readonly { system: AnsweredSystem }[],
): void {
  const textsOfSystem = ({ system }: { system: AnsweredSystem }) => system.answers.map(({ text }) => text)
  const texts = textsOfSystem(baseline)
  for (const other of others)
    if (textsOfSystem(other).every((text, i) => text === texts[i]))
      ui.warn(
        `${other.system.name} gave the same answers as ${baseline.system.name} throughout: every verdict is a tie`,
        'was the right file, or the right model, named?',
      )
}

/** Of a file nobody knows how it was decoded, and what is compared has to be called alike. */
function decodingOf(systems: readonly ComparedSystem[], temperature: number): string {
  if (systems.some(({ file }) => file)) return 'as given'
  return decodingName(temperature)
}

interface Asked {
  prompts: Prompt[]
  sources: string[]
  references?: string[]
}

/** Of eval_dataset, else of the files of answers; at most eval_prompts, chosen by their hashes. */
async function promptsOf(session: Session, systems: readonly ComparedSystem[]): Promise<Asked> {
  const { options, ui } = session
  const { evalDataset, evalPrompts, seed } = options
  if (evalDataset === undefined && systems.every(({ file }) => !file)) {
    throw usageError('nothing says on which prompts to compare', 'Name them with --eval-dataset.')
  }
  for (const { name, file } of systems)
    if (file && file.repeated > 0)
      ui.warn(`${name}: ${amount(file.repeated, 'row')} said the same as an earlier one and count once`)
  const examples = evalDataset && (await loadData(session, evalDataset, 0)).examples
  const { prompts, missing } = sharedPrompts(systems, examples)
  for (const { name, prompts: lacking } of missing)
    ui.warn(`${name} has no answer to ${amount(lacking, 'prompt')}; these are left out`)
  if (prompts.length === 0)
    throw usageError('no prompt is answered by all systems', 'Check the files of answers.')
  const keys = new Set(prompts.map(({ prompt }) => questionKey(prompt)))
  if (examples?.every(({ candidates }) => candidates.length > 0))
    return evaluationSet(
      examples.filter(({ prompt }) => keys.has(questionKey(prompt))),
      evalPrompts,
      seed,
    )
  const chosen = prompts
    .map((found) => ({ ...found, at: hashUnit(`evaluate:${seed}:${questionKey(found.prompt)}`) }))
    .sort((a, b) => a.at - b.at)
    .slice(0, evalPrompts)
  if (chosen.length < prompts.length)
    ui.line(`${count(chosen.length)} of ${count(prompts.length)} prompts are compared (eval_prompts)`)
  return { prompts: chosen.map(({ prompt }) => prompt), sources: chosen.map(({ source }) => source) }
}

/** Of the last system, by the judge that the report concludes from. */
function casesIn({ scored, samples, judgements }: Evaluation, baseline: string, seed: number) {
  const [first, last] = [scored[0], scored[scored.length - 1]]
  const scorer = bestRole((name) => name in last.rewards)?.name ?? Object.keys(last.rewards)[0]
  const gaps =
    judgements.length > 0 && scorer !== undefined
      ? last.rewards[scorer].map((reward, i) => reward - first.rewards[scorer][i])
      : undefined
  return casesOf(samples, gaps, { system: last.name, baseline, seed })
}

function reportOf(
  session: Needs<'seed' | keyof ScorerOptions, 'hardware' | 'versions'>,
  evaluation: Evaluation,
  comparison: ComparisonReport,
): EvalReport {
  const { report, judgements } = evaluation
  const measures = withVerdicts(evaluation.measures, comparison.verdicts)
  const scorers = namedScorers(session.options)
  return {
    ...reportHeader(
      session,
      'Comparison',
      `clha compare ${comparison.systems.map(({ path }) => shellPath(path)).join(' ')}`,
    ),
    notes: [
      'Intervals are 95 %; of scorers over prompts, of people and judges over prompts and raters.',
      ...(scorers.length > 0 ? [scorersNote(scorers)] : []),
    ],
    ...(measures && { measures }),
    judgements: [...judgementsOfVerdicts(comparison.verdicts), ...judgements],
    comparison,
    evaluation: report,
  }
}
