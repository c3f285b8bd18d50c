/** `clha reward score`: a reward for every answer of a data file. */
import { corpusOf } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { listFiles } from '../../data/read/read-files.js'
import { writeJsonLines } from '../../files/json-lines.js'
import { requireFreeTargets } from '../../files/targets.js'
import { required } from '../../session/needs.js'
import { openSession } from '../../session/session.js'
import { amount, count, figure, percent } from '../../show/units.js'
import { loadData } from '../../stations/read/load-data.js'
import { requireOneScorer } from '../../stations/score/one-scorer.js'
import { agreement } from '../../stations/score/reward-models.js'
import { outsideScores } from '../../stations/score/scoring.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface ScoreResult {
  answers: number
  /** Answers whose score was known already. */
  cached: number
  outputFile?: string
}

export const rewardScore: Pipeline<ScoreResult> = async (config, ui) => {
  const session = await openSession(config, ui)
  requireOneScorer(session.options)
  const { outputFile } = session.options
  const trainDataset = required(session.options, 'trainDataset')
  if (outputFile !== undefined) requireFreeTargets([outputFile], await listFiles(trainDataset))
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
  writeJsonLines(outputFile, examples, (example, i) => scoredRow(example, rewards[i]))
  ui.line(`scores   ${outputFile}`)
  return { answers: flat.length, cached, outputFile }
}

/** A row that this and other tools read again: a labelled pair in TRL's columns with its scores, else a list with rewards. */
function scoredRow({ id, prompt, candidates, preferences }: Example, rewards: readonly number[]): object {
  if (candidates.length !== 2 || preferences.length !== 1) {
    return { id, prompt, completions: candidates.map((c) => c.text), rewards }
  }
  const [{ better, worse }] = preferences
  const answer = (i: number) =>
    typeof prompt === 'string' ? candidates[i].text : [{ role: 'assistant', content: candidates[i].text }]
  return {
    id,
    prompt,
    chosen: answer(better),
    rejected: answer(worse),
    score_chosen: rewards[better],
    score_rejected: rewards[worse],
  }
}
