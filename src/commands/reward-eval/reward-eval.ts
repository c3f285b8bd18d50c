/** `clha reward eval`: rewards of labelled answers, and how often, and how surely, they are right. */
import { dirname, relative, sep } from 'node:path'
import { corpusOf } from '../../data/corpus.js'
import { type Example, isLabelled } from '../../data/example.js'
import { usageError } from '../../errors.js'
import type { MeasuredSystems } from '../../evaluate/measures.js'
import { BENCHMARKS, type RewardedList } from '../../evaluate/reward-benchmarks.js'
import { evaluateReward, type RewardEvaluation } from '../../evaluate/reward-evaluation.js'
import { writeReports } from '../../report/write-reports.js'
import { required } from '../../session/needs.js'
import { type Session, withSession } from '../../session/session.js'
import { shellPath } from '../../show/shell.js'
import { amount } from '../../show/units.js'
import { reportHeader } from '../../stations/evaluate/eval-report.js'
import { loadData } from '../../stations/read/load-data.js'
import { requireOneScorer } from '../../stations/score/one-scorer.js'
import { columnScores, hasOutsideScorer, outsideScores } from '../../stations/score/scoring.js'
import { oneOf } from '../own-flags.js'
import type { Pipeline } from '../pipeline-spec.js'
import { sayRewardEvaluation } from './say-reward-eval.js'

export interface RewardEvalResult extends RewardEvaluation {
  /** Examples without a label: nothing can be right there. */
  unlabelled: number
  report?: string
}

export const rewardEval = ({
  benchmark: named,
}: Record<string, unknown>): Pipeline<RewardEvalResult, 'train_dataset'> =>
  withSession(async (session) => {
    const { options, ui } = session
    requireOneScorer(options)
    const benchmark = named === undefined ? undefined : oneOf('--benchmark', named, BENCHMARKS)
    const { examples } = await loadData(session, options.trainDataset, 2)
    const labelled = examples.filter(isLabelled)
    const unlabelled = examples.length - labelled.length
    if (labelled.length === 0)
      throw usageError('no row says which of its answers is better', 'Name data with labels.')
    if (unlabelled > 0)
      ui.warn(`${amount(unlabelled, 'row')} without a label, or with a tie, count for nothing`)
    const corpus = corpusOf(labelled)
    const scored = hasOutsideScorer(options)
      ? (await outsideScores(session, corpus)).corpus
      : columnScores(corpus, options.rewardColumn?.[0])
    const categories = categoriesOf(scored.examples)
    const lists = scored.examples.map(
      ({ id, preferences }, i): RewardedList => ({
        id,
        preferences,
        source: categories[i],
        rewards: scored.rewards[i],
      }),
    )
    const found = evaluateReward(lists, { benchmark })
    sayRewardEvaluation(ui, found)
    const report = await written(session, found)
    if (report) ui.line(`report  ${report}`)
    return { ...found, unlabelled, ...(report && { report }) }
  })

/** Files of the same name in different folders are told apart by their folders, as LLMBar's are. */
function categoriesOf(examples: readonly Example[]): string[] {
  const files = [...new Set(examples.map(({ file }) => file))]
  const folders = new Set(files.map((file) => dirname(file)))
  const plain = examples.map(({ source }) => source)
  if (folders.size < 2 || new Set(plain).size > 1) return plain
  const top = files.map(dirname).reduce((common, folder) => sharedPath(common, folder))
  return examples.map(({ file, source }) => relative(top, dirname(file)) || source)
}

function sharedPath(a: string, b: string): string {
  const [x, y] = [a.split(sep), b.split(sep)]
  const end = x.findIndex((part, i) => part !== y[i])
  return (end < 0 ? x : x.slice(0, end)).join(sep)
}

async function written(
  session: Session<'train_dataset'>,
  found: RewardEvaluation,
): Promise<string | undefined> {
  const { options, config } = session
  if (config.origin.output_dir === 'default' || options.outputDir === undefined) return undefined
  const command = config.file && `clha reward eval ${shellPath(config.file)}`
  const files = await writeReports(required(options, 'outputDir'), {
    ...reportHeader(session, 'Reward model against labels', command),
    notes: [`Data: ${options.trainDataset.join(', ')}. Intervals are 95 %, Wilson, over labels.`],
    rewardEvaluation: found,
    measures: measuresOf(
      options.rewardModel?.[0] ?? options.rewardEndpoint ?? options.rewardFunction ?? 'reward column',
      found,
    ),
  })
  return files.html
}

function measuresOf(
  subject: string,
  { accuracy, categories, calibration }: RewardEvaluation,
): MeasuredSystems {
  const named = categories.map(({ name, accuracy: own }) => [
    `accuracy@${name}`,
    { value: own.share, interval: own.interval },
  ])
  return {
    subject,
    systems: {
      [subject]: {
        accuracy: { value: accuracy.share, interval: accuracy.interval },
        ...Object.fromEntries(named),
        ...(calibration && { ece: { value: calibration.ece } }),
      },
    },
  }
}
