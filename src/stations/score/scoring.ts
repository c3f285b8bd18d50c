/** Rewards for every answer of a corpus: from the data, from a reward model, or from cross-fitted ones. */
import type { Options, SectionOptions } from '../../config/options.js'
import { type Corpus, type EncodedCorpus, rowsWhere, type ScoredCorpus, select } from '../../data/corpus.js'
import type { Candidate, Example } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { hubLabel } from '../../hub/cache.js'
import { quantizedReward } from '../../load/quantized-options.js'
import { loadScoringModel, type ScoringModel } from '../../load/scoring-model.js'
import { decoderScorer } from '../../models/decoder/reward-scorer.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { meanScores } from '../../rescore/scorers/mean-scores.js'
import { type Scored as Scores, scoreExamples } from '../../reward/model-scorer.js'
import type { ScoreCache } from '../../reward/score-cache.js'
import { type Needs, required } from '../../session/needs.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount, count } from '../../show/units.js'
import { type EncodeNeeds, encodeCorpus } from '../read/encode-corpus.js'
import { configuredEndpoint, endpointScores, type Scored } from './endpoint-scores.js'
import type { FoldModel } from './fold-model.js'
import { functionScores } from './function-scores.js'
import { openModelCache } from './model-cache.js'

/** The keys of a reward model or a reward server, and how their inputs are cut. */
export type OutsideNeeds = EncodeNeeds &
  Needs<SectionOptions<'score' | 'endpoint' | 'model'>, 'dtype' | 'stopRequested'> &
  Needs<'maxTokensPerBatch' | 'skipBad'>

/** Rewards by whatever the config names, else those of the data. @throws ClhaError (exit 2) where there are none */
export async function scoreCorpus(
  session: OutsideNeeds & Needs<SectionOptions<'data' | 'method' | 'rescore'>>,
  corpus: Corpus,
): Promise<ScoredCorpus> {
  const { options } = session
  if (hasOutsideScorer(options)) return (await outsideScores(session, corpus)).corpus
  const { rewardColumn } = options
  if (rewardColumn !== undefined && rewardColumn.length > 1) return severalColumns(corpus, rewardColumn)
  if (rewardColumn !== undefined || hasColumnScores(corpus.examples))
    return columnScores(corpus, rewardColumn?.[0])
  throw usageError(
    `method: ${options.method} with label_source: ${options.labelSource} orders answers by rewards, and the data has none`,
    'give a reward_model, a reward_endpoint or a reward_function, name the column with reward_column, or run the whole pipeline: clha align',
  )
}

/** Rewards that the data brought along. @throws ClhaError (exit 2) naming the first row that lacks one */
export function columnScores(corpus: Corpus, column?: string): ScoredCorpus {
  const place =
    column === undefined ? '' : ` in ${column} (lists), ${column}_chosen and ${column}_rejected (pairs)`
  const { examples } = corpus
  const lacking = examples.filter(({ candidates }) => candidates.some(({ reward }) => reward === undefined))
  if (lacking.length > 0) {
    const [{ file, row }] = lacking
    throw usageError(
      `${file}:${row}: an answer has no reward${place}: so it is in ${count(lacking.length)} of ${amount(examples.length, 'row')}`,
      lacking.length === examples.length
        ? 'name the column with reward_column, or give a reward_model'
        : 'give these rows their rewards, leave them out, or give a reward_model, which scores all',
    )
  }
  return { ...corpus, rewards: examples.map(({ candidates }) => candidates.map(({ reward }) => reward!)) }
}

/** Each answer's `rewards`, which lack what the row lacks. */
function severalColumns(corpus: Corpus, columns: readonly string[]): ScoredCorpus {
  const rewardOf = (candidate: Candidate, column: string) => ({
    ...candidate,
    reward: candidate.rewards?.[column],
  })
  return together(corpus, columns, (column) => {
    const examples = corpus.examples.map((example) => ({
      ...example,
      candidates: example.candidates.map((candidate) => rewardOf(candidate, column)),
    }))
    return columnScores({ ...corpus, examples }, column).rewards
  })
}

/** The scores of all scorers, and a plain mean of them for what looks at no labels. */
function together(
  corpus: Corpus,
  names: readonly string[],
  of: (name: string) => readonly (readonly number[])[],
): ScoredCorpus {
  const all = names.map((name) => [name, of(name)] as const)
  const scores = corpus.examples.map((_, i) =>
    Object.fromEntries(all.map(([name, rewards]) => [name, rewards[i]])),
  )
  return { ...corpus, scores, rewards: meanScores(corpus.examples, scores) }
}

/** One reward is enough to expect all of them; the row that lacks one is then named. */
export const hasColumnScores = (examples: readonly Example[]): boolean =>
  examples.some((e) => e.candidates.some((c) => c.reward !== undefined))

/** Whether the config names a scorer: a reward model, a reward server or a function. */
export const hasOutsideScorer = (
  options: Pick<Options, 'rewardModel' | 'rewardEndpoint' | 'rewardFunction'>,
): boolean =>
  [options.rewardModel, options.rewardEndpoint, options.rewardFunction].some((name) => name !== undefined)

/** Scores with the scorer that the config names; rows that it can't score are left out, and said. */
export async function outsideScores(session: OutsideNeeds, corpus: Corpus): Promise<Scored> {
  const { rewardFunction } = session.options
  if (rewardFunction !== undefined) return functionScores(session, rewardFunction, corpus)
  const endpoint = configuredEndpoint(session.options)
  if (endpoint) return endpointScores(session, endpoint, corpus)
  const models = required(session.options, 'rewardModel')
  if (models.length === 1) return scoreWithModel(session, models[0], corpus)
  // A row that one scorer leaves out is left out for all.
  let left: Corpus = { ...corpus, scores: corpus.examples.map(() => ({})) }
  let cached = 0
  for (const model of models) {
    session.ui.line(`scoring with ${hubLabel(model)}`)
    const scored = await scoreWithModel(session, model, left)
    cached += scored.cached
    const { scores = [], rewards } = scored.corpus
    left = { ...scored.corpus, scores: scores.map((one, i) => ({ ...one, [hubLabel(model)]: rewards[i] })) }
  }
  return {
    corpus: together(left, models.map(hubLabel), (name) => left.scores!.map((one) => one[name])),
    cached,
  }
}

/** Scores with a reward model, its own tokenizer and template. Known scores come from `score_cache_dir`. */
async function scoreWithModel(session: OutsideNeeds, model: string, corpus: Corpus): Promise<Scored> {
  const { options, dtype } = session
  const folder = resolveModelFolder(model)
  const { chatTemplate, rewardFormat: format } = options
  const bits = quantizedReward(options)
  const scorer = await loadScoringModel(folder, { dtype, format, chatTemplate, bits })
  try {
    // The scorer's tokens are its own: they go no further than this.
    const { examples, parts } = corpus
    const numbered = { examples, parts, row: examples.map((_, i) => i) }
    const { row, ...data } = await encodeCorpus(session, scorer, numbered, 1)
    const cache = await openModelCache(session, { folder, bits, template: scorer.template.name }, options)
    const { rewards, cached } = await scoreEncoded(session, scorer, data, cache)
    return { corpus: { ...select(corpus, row), rewards }, cached }
  } finally {
    scorer.model.dispose()
  }
}

async function scoreEncoded(
  session: Needs<'maxTokensPerBatch', 'ui' | 'stopRequested'>,
  scorer: ScoringModel,
  { encoded }: EncodedCorpus,
  cache: ScoreCache | undefined,
): Promise<Scores> {
  const { options, ui, stopRequested } = session
  const answers = encoded.reduce((sum, e) => sum + e.answers.length, 0)
  const bar = ui.progress(answers, 'scoring', 'answers')
  try {
    const scored = await scoreExamples(scorer.model, encoded, {
      maxTokens: options.maxTokensPerBatch,
      cache,
      progress: (done, tokens) => bar.update(done, { tokens: count(tokens) }),
      stopRequested,
    })
    throwIfStopped(session)
    if (scored.cached === answers) bar.update(answers)
    bar.done(scored.cached > 0 ? `${count(scored.cached)} of them were known` : undefined)
    return scored
  } finally {
    cache?.close()
  }
}

/** Each prompt is scored by the model that was not trained on it. */
export async function crossFittedScores(
  session: Needs<'maxTokensPerBatch' | 'seed', 'ui' | 'stopRequested'>,
  models: readonly FoldModel[],
  corpus: EncodedCorpus,
): Promise<ScoredCorpus> {
  const { options, ui, stopRequested } = session
  const several = models.length > 1
  const folds = corpus.examples.map((e) => (several ? foldOf(e.prompt, options.seed, models.length) : 0))
  const rewards = new Array<number[]>(corpus.examples.length)
  const answers = corpus.encoded.map((e) => e.answers.length)
  const bar = ui.progress(
    answers.reduce((sum, n) => sum + n, 0),
    'scoring',
    'answers',
  )
  let before = 0
  for (const { fold, model } of models) {
    const rows = rowsWhere(corpus, (_, row) => folds[row] === fold)
    const scored = await scoreExamples(decoderScorer(model), select(corpus, rows).encoded, {
      maxTokens: options.maxTokensPerBatch,
      progress: (done) => bar.update(before + done),
      stopRequested,
    })
    throwIfStopped(session)
    for (const [i, row] of rows.entries()) rewards[row] = scored.rewards[i]
    before += rows.reduce((sum, row) => sum + answers[row], 0)
  }
  bar.done()
  return { ...corpus, rewards, ...(several && { folds }) }
}
