/** `clha reward score`: a reward for every answer of a data file. */
import { corpusOf, rewardedExamples } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { contentFault } from '../../data/read/row-fault.js'
import type { WriteReport } from '../../data/write/write-examples.js'
import { formatFor, losesVotes, ROWS_OF } from '../../data/write/write-rows.js'
import { writeJsonLines } from '../../files/json-lines.js'
import { requireFreeTargets } from '../../files/targets.js'
import { required } from '../../session/needs.js'
import { withSession } from '../../session/session.js'
import { amount, count, figure, percent } from '../../show/units.js'
import { dataRead } from '../../stations/read/data-read.js'
import { loadData } from '../../stations/read/load-data.js'
import { agreement } from '../../stations/score/fold-model.js'
import { requireOneScorer } from '../../stations/score/one-scorer.js'
import { outsideScores } from '../../stations/score/scoring.js'
import { sayLeftOut } from '../left-out.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface ScoreResult {
  answers: number
  /** Answers whose score was known already. */
  cached: number
  outputFile?: string
}

export const rewardScore: Pipeline<ScoreResult> = withSession(async (session) => {
  const { options, ui } = session
  const { outputFile } = options
  requireOneScorer(options)
  const trainDataset = required(options, 'trainDataset')
  if (outputFile !== undefined) requireFreeTargets([outputFile], await dataRead(options, ['trainDataset']))
  const loaded = await loadData(session, trainDataset, 1)
  const { corpus, cached } = await outsideScores(session, corpusOf(loaded.examples))
  const { examples, rewards } = corpus
  const flat = rewards.flat()
  ui.line(
    `${amount(flat.length, 'answer')} · mean reward ${figure(flat.reduce((a, b) => a + b, 0) / Math.max(1, flat.length))}`,
  )
  const accuracy = agreement(
    examples.map((e) => e.preferences),
    rewards,
  )
  if (accuracy) ui.line(`agrees with ${percent(accuracy.value)} of ${count(accuracy.pairs)} human labels`)
  if (outputFile === undefined) return { answers: flat.length, cached }
  const { rows, report } = scoredRows(rewardedExamples(corpus))
  sayLeftOut(ui, report)
  writeJsonLines(outputFile, rows, (row) => row)
  ui.line(`scores   ${outputFile}`)
  return { answers: flat.length, cached, outputFile }
})

/**
 * Rows that this and other tools read again: a labelled pair in TRL's columns with its scores, else a list with rewards.
 * Models have a column in a list alone.
 */
function scoredRows(examples: readonly Example[]) {
  const report: Pick<WriteReport, 'skipped' | 'majorities'> = { skipped: [], majorities: 0 }
  const rows = examples.flatMap((example) => {
    const { file, row } = example
    const pair = formatFor(example)
    const list = ROWS_OF.listwise(example)
    const format = typeof list !== 'string' && hasModels(example) ? 'listwise' : pair
    const own = format === 'listwise' ? list : ROWS_OF[format](example)
    if (typeof own !== 'string') {
      if (losesVotes(example, format)) report.majorities++
      return own
    }
    const { kind, code, message: reason } = contentFault(`not_${format}`, own)
    report.skipped.push({ file, row, kind, code, reason })
    return []
  })
  return { rows, report }
}

/** Whether answers come from models, and not from the columns of a pair. */
const hasModels = ({ candidates }: Example) =>
  candidates.some(({ origin = 'chosen' }) => origin !== 'chosen' && origin !== 'rejected')
