/** Rewards from the server that the config names. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from '../../config/options.js'
import type { ScoredCorpus } from '../../data/corpus.js'
import { type Corpus, where } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { usageError } from '../../errors.js'
import { openEndpoint, type RewardEndpoint } from '../../reward/endpoint.js'
import { type EndpointScored, scoreByEndpoint } from '../../reward/endpoint-score.js'
import { openScoreCache } from '../../reward/score-cache.js'
import type { Needs } from '../../session/needs.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount, count } from '../../show/units.js'

/** The keys of a reward server. */
export type EndpointOptions = Pick<
  Options,
  | 'rewardEndpoint'
  | 'rewardEndpointType'
  | 'rewardEndpointModel'
  | 'rewardEndpointConcurrency'
  | 'rewardEndpointTimeout'
  | 'rewardEndpointRetries'
  | 'rewardEndpointTokenEnv'
  | 'rewardRubric'
>

export type RunNeeds = Needs<'scoreCacheDir' | 'outputDir', 'ui' | 'stopRequested'>

/** The endpoint of the config; undefined when it names none. @throws ClhaError (exit 2) when it can't be used */
export function configuredEndpoint(options: EndpointOptions): RewardEndpoint | undefined {
  const { rewardEndpoint: url, rewardEndpointTokenEnv: name, rewardRubric } = options
  if (url === undefined) return undefined
  return openEndpoint({
    url,
    type: options.rewardEndpointType,
    model: options.rewardEndpointModel,
    concurrency: options.rewardEndpointConcurrency,
    timeoutMs: options.rewardEndpointTimeout * 1000,
    retries: options.rewardEndpointRetries,
    token: name === undefined ? undefined : secretOf(name, 'reward_endpoint_token_env'),
    rubric: rubricOf({ rewardRubric }),
  })
}

/** What a chat model is to judge by. @throws ClhaError (exit 2) for a path of no file */
export const rubricOf = ({ rewardRubric }: Pick<Options, 'rewardRubric'>): string | undefined =>
  rewardRubric === undefined ? undefined : readRubric(rewardRubric)

/** The value of an environment variable. The name is never shown: it may be the secret itself, put in the wrong place. */
export function secretOf(name: string, key: string): string {
  const value = process.env[name]?.trim()
  if (value) return value
  const proper = /^[A-Z_][A-Z0-9_]*$/.test(name)
  throw usageError(
    proper
      ? `${key}: the environment has no ${name}`
      : `${key} has to be the name of an environment variable, such as REWARD_TOKEN; it is never the secret itself`,
    proper ? `export ${name}=…` : undefined,
  )
}

/** A text has white space; anything else is a path. */
function readRubric(given: string): string {
  if (statSync(given, { throwIfNoEntry: false })?.isFile()) return readFileSync(given, 'utf8').trim()
  if (/\s/.test(given.trim())) return given
  throw usageError(
    `reward_rubric: ${given}: no such file`,
    'give the path of a text file, or the rubric itself',
  )
}

/** Scores every answer of a data set; with skip_bad, examples that a chat model can't judge are left out and listed. */
export async function endpointScores(
  session: RunNeeds & Needs<'skipBad'>,
  endpoint: RewardEndpoint,
  corpus: Corpus,
): Promise<Scored> {
  const { ui, options } = session
  const { examples } = corpus
  const scored = await runScoring(session, endpoint, examples, {
    label: 'scoring',
    skipUnread: options.skipBad,
  })
  throwIfStopped(session)
  const { rewards, cached, unread } = scored
  const dropped = new Map(unread.map(({ example, reason }) => [example, reason]))
  for (const [example, reason] of [...dropped].slice(0, 5)) {
    ui.warn(`${examples[example].file}:${examples[example].row}: left out: ${reason}`)
  }
  if (dropped.size > 0 && dropped.size === examples.length)
    throw usageError(
      `reward endpoint ${endpoint.name}: no row has a score`,
      'another model or rubric may do better',
    )
  if (dropped.size > 5) ui.warn(`${count(dropped.size)} rows were left out, for they have no score`)
  const all = { ...corpus, rewards: rewards as number[][] }
  return { corpus: where(all, (_, row) => !dropped.has(row)), cached }
}

/** Scores cost time and money there: they are always kept, beside the run where no folder is named. */
export async function runScoring(
  session: RunNeeds,
  endpoint: RewardEndpoint,
  examples: readonly Example[],
  { label, skipUnread }: { label: string; skipUnread: boolean },
): Promise<EndpointScored> {
  const { options, ui, stopRequested } = session
  const dir = options.scoreCacheDir ?? join(options.outputDir, 'endpoint-scores')
  const cache = openScoreCache(dir, endpoint.identity)
  const bar = ui.progress(
    examples.reduce((sum, e) => sum + e.candidates.length, 0),
    label,
    'answers',
  )
  try {
    const scored = await scoreByEndpoint(examples, endpoint, {
      cache,
      stopRequested,
      skipUnread,
      progress: (done, tokens) => bar.update(done, tokens > 0 ? { tokens: count(tokens) } : {}),
    })
    const notes = [
      ...(scored.cached > 0 ? [`${count(scored.cached)} of them were known`] : []),
      ...(scored.tokens > 0 ? [`${amount(scored.tokens, 'token')}`] : []),
    ]
    if (scored.cached > 0 && scored.cached === scored.rewards.flat().length) bar.update(scored.cached)
    bar.done(notes.length > 0 ? notes.join(' · ') : undefined)
    return scored
  } finally {
    cache.close()
  }
}

export interface Scored {
  corpus: ScoredCorpus
  /** Answers whose score was known. */
  cached: number
}
