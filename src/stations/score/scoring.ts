/** Rewards for every answer of a data set: from the data, from a reward model, or from cross-fitted ones. */
import { join } from 'node:path'
import type { Example } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import { quantizedReward } from '../../load/quantized-options.js'
import { loadScoringModel, type ScoringModel } from '../../load/scoring-model.js'
import { decoderScorer } from '../../models/decoder/reward-scorer.js'
import { modelHash, resolveModelFolder } from '../../models/folders/model-folder.js'
import { scoreExamples } from '../../reward/model-scorer.js'
import { openScoreCache } from '../../reward/score-cache.js'
import type { Session } from '../../session/session.js'
import { throwIfStopped } from '../../session/stopped.js'
import { count } from '../../show/units.js'
import { type EncodedData, encodeData } from '../read/load-data.js'
import { configuredEndpoint, endpointScores } from './endpoint-scores.js'
import { type FoldModel, select } from './reward-models.js'

export interface ScoredData {
  examples: Example[]
  /** Raw rewards [examples][candidates]. */
  rewards: number[][]
  /** Which fold's model scored each example, where models were cross-fitted. */
  folds?: number[]
  cached: number
}

/** Rewards that the data brought along. @throws ClhaError (exit 2) naming the first row that lacks one */
export function columnScores(examples: Example[], column?: string): ScoredData {
  const place =
    column === undefined ? '' : ` in ${column} (lists), ${column}_chosen and ${column}_rejected (pairs)`
  const rewards = examples.map(({ candidates, file, row }) =>
    candidates.map(({ reward }) => {
      if (reward !== undefined) return reward
      throw usageError(
        `${file}:${row}: an answer has no reward${place}`,
        'name the column with reward_column, or give a reward_model',
      )
    }),
  )
  return { examples, rewards, cached: 0 }
}

/** One reward is enough to expect all of them; the row that lacks one is then named. */
export const hasColumnScores = (examples: readonly Example[]): boolean =>
  examples.some((e) => e.candidates.some((c) => c.reward !== undefined))

/** Whether the config names a scorer: a reward model or a reward server. */
export const hasOutsideScorer = ({ options }: Session): boolean =>
  options.rewardModel !== undefined || options.rewardEndpoint !== undefined

/** Scores with the scorer that the config names. */
export function outsideScores(session: Session, examples: readonly Example[]): Promise<ScoredData> {
  const endpoint = configuredEndpoint(session)
  return endpoint ? endpointScores(session, endpoint, examples) : scoreWithModel(session, examples)
}

/** Scores with `reward_model`, its own tokenizer and template. Known scores come from `score_cache_dir`. */
async function scoreWithModel(session: Session, examples: readonly Example[]): Promise<ScoredData> {
  const { options, dtype } = session
  const folder = resolveModelFolder(options.rewardModel as string)
  const { chatTemplate, rewardFormat: format } = options
  const bits = quantizedReward(options)
  const scorer = await loadScoringModel(folder, { dtype, format, chatTemplate, bits })
  try {
    const data = await encodeData(session, scorer, examples, 1)
    const settings = JSON.stringify([
      options.maxLength,
      options.maxPromptLength,
      options.truncation,
      dtype,
      scorer.template.name,
      ...(bits ? [`${bits} bits`] : []),
    ])
    const identity = sha256(`${await modelHash(folder)}:${settings}`)
    return { examples: data.examples, ...(await scoreEncoded(session, scorer, data, identity)) }
  } finally {
    scorer.model.dispose()
  }
}

async function scoreEncoded(session: Session, scorer: ScoringModel, data: EncodedData, identity: string) {
  const { options, ui } = session
  const cache =
    options.scoreCacheDir === undefined ? undefined : openScoreCache(options.scoreCacheDir, identity)
  const answers = data.encoded.reduce((sum, e) => sum + e.answers.length, 0)
  const bar = ui.progress(answers, 'scoring', 'answers')
  try {
    const scored = await scoreExamples(scorer.model, data.encoded, {
      maxTokens: options.maxTokensPerBatch,
      cache,
      progress: (done, tokens) => bar.update(done, { tokens: count(tokens) }),
      stopRequested: session.stopRequested,
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
  session: Session,
  models: readonly FoldModel[],
  data: EncodedData,
): Promise<ScoredData> {
  const { options, ui } = session
  const folds = data.examples.map((e) =>
    models.length > 1 ? foldOf(e.prompt, options.seed, models.length) : 0,
  )
  const rewards: number[][] = new Array(data.examples.length)
  const bar = ui.progress(
    data.encoded.reduce((sum, e) => sum + e.answers.length, 0),
    'scoring',
    'answers',
  )
  let before = 0
  for (const { fold, model } of models) {
    const part = select(data, (_, i) => folds[i] === fold)
    const scored = await scoreExamples(decoderScorer(model), part.encoded, {
      maxTokens: options.maxTokensPerBatch,
      progress: (done) => bar.update(before + done),
      stopRequested: session.stopRequested,
    })
    throwIfStopped(session)
    part.indices.forEach((index, i) => {
      rewards[index] = scored.rewards[i]
    })
    before += part.encoded.reduce((sum, e) => sum + e.answers.length, 0)
  }
  bar.done()
  return { examples: data.examples, rewards, folds: models.length > 1 ? folds : undefined, cached: 0 }
}

export const rescoredFile = (dir: string): string => join(dir, 'rescored.jsonl')
