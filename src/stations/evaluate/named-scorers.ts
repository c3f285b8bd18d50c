/** The scorers that a config names: reward models and reward servers, and what reports call them. */
import type { Options } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { hubLabel } from '../../hub/cache.js'
import { openEndpoint, type RewardEndpoint } from '../../reward/endpoint.js'
import { isAddress } from '../../value-shapes.js'
import { configuredEndpoint, type EndpointOptions, rubricOf } from '../score/endpoint-scores.js'

export type ScorerOptions = EndpointOptions &
  Pick<Options, 'rewardModel' | 'rewardFunction' | 'evalRewardModel'>

export interface NamedScorer {
  /** As in reports: `reward`, `second`, or the place itself. */
  name: string
  /** Folder of a reward model, or address of a server without its query. */
  path: string
  /** `path` is a module with a reward function. */
  module?: boolean
  /** Of a server. */
  endpoint?: RewardEndpoint
}

/**
 * The first `reward_model`, or `reward_endpoint`, is called `reward`, the first of `eval_reward_model` `second`, further
 * ones by their folders or addresses.
 * @param trained scorers `reward` and `second` were trained on the way: all of `eval_reward_model` are further ones
 * @throws ClhaError (exit 2) for a scorer that is named twice, and an address that can't be used
 */
export function namedScorers(options: ScorerOptions, trained = false): NamedScorer[] {
  const first = configuredEndpoint(options)
  const paths = options.evalRewardModel ?? []
  const found: NamedScorer[] = [
    ...(first ? [{ name: 'reward', path: first.name, endpoint: first }] : []),
    ...(options.rewardFunction === undefined
      ? []
      : [{ name: 'reward', path: options.rewardFunction, module: true }]),
    ...(options.rewardModel ?? []).map((path, i) => ({ name: i === 0 ? 'reward' : labelOf(path), path })),
    ...paths.map((text, i) => {
      const endpoint = isAddress(text) ? furtherEndpoint(text, options, first) : undefined
      const path = endpoint ? [endpoint.name, endpoint.settings.model].filter(Boolean).join('#') : text
      return { name: i === 0 && !trained ? 'second' : labelOf(path), path, ...(endpoint && { endpoint }) }
    }),
  ]
  const places = found.map(({ path, endpoint }) => endpoint?.identity ?? path)
  const twice = found.find((_, i) => places.indexOf(places[i]) < i)
  if (twice) throw usageError(`${twice.path} is named twice`, 'a scorer agrees with itself: remove one')
  return found
}

const labelOf = (path: string): string => hubLabel(path).replace(/^https?:\/\//i, '')

/**
 * What it speaks is told from its path, the model behind a `#`. The token of `reward_endpoint` goes to its own machine
 * and port only.
 */
function furtherEndpoint(text: string, options: ScorerOptions, first: RewardEndpoint | undefined) {
  const address = URL.canParse(text) ? new URL(text) : undefined
  const model = decodeURIComponent(address?.hash.slice(1) ?? '')
  const own = first && address?.origin === new URL(first.url).origin
  return openEndpoint({
    url: text,
    type: 'auto',
    key: 'eval_reward_model',
    ...(model !== '' && { model, rubric: rubricOf(options) }),
    concurrency: options.rewardEndpointConcurrency,
    timeoutMs: options.rewardEndpointTimeout * 1000,
    retries: options.rewardEndpointRetries,
    ...(own && first.token !== undefined && { token: first.token }),
  })
}
