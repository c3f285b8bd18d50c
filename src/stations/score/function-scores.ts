/** Rewards from the function that the config names. */
import type { Corpus } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { openRewardFunction, scoreByFunction } from '../../reward/reward-function.js'
import { openScoreCache } from '../../reward/score-cache.js'
import type { Needs } from '../../session/needs.js'
import { throwIfStopped } from '../../session/stopped.js'
import { count } from '../../show/units.js'
import type { Scored } from './endpoint-scores.js'

export type FunctionNeeds = Needs<'scoreCacheDir', 'ui' | 'stopRequested'>

/** Scores every answer of a data set. */
export async function functionScores(session: FunctionNeeds, path: string, corpus: Corpus): Promise<Scored> {
  const { rewards, cached } = await runFunction(session, path, corpus.examples)
  return { corpus: { ...corpus, rewards }, cached }
}

/** Known scores come from `score_cache_dir`, where it is named: a function may ask others. @throws Stopped after a signal */
export async function runFunction(
  session: FunctionNeeds,
  path: string,
  examples: readonly Example[],
): Promise<{ rewards: number[][]; cached: number }> {
  const { options, ui, stopRequested } = session
  const reward = await openRewardFunction(path)
  ui.line(`reward function  ${path} · ${reward.identity.slice(0, 16)}`)
  const cache =
    options.scoreCacheDir === undefined ? undefined : openScoreCache(options.scoreCacheDir, reward.identity)
  const total = examples.reduce((sum, { candidates }) => sum + candidates.length, 0)
  const bar = ui.progress(total, 'scoring', 'answers', true)
  try {
    const scored = await scoreByFunction(examples, reward, {
      cache,
      stopRequested,
      progress: (done) => bar.update(done),
    })
    throwIfStopped(session)
    bar.done(scored.cached > 0 ? `${count(scored.cached)} of them were known` : undefined)
    return scored
  } finally {
    cache?.close()
  }
}
