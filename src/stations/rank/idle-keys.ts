/** Keys that a training leaves without effect by its data, its labels or its samples: one config serves several commands, so only flags are refused. */
import { withDefaults } from '../../config/defaults.js'
import { flagName } from '../../config/flags.js'
import type { ResolvedConfig } from '../../config/load-config.js'
import type { Options, SectionOptions } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { endpointSection } from '../../config/sections/endpoint-section.js'
import { rescoreSection } from '../../config/sections/rescore-section.js'
import { scoreSection } from '../../config/sections/reward-section.js'
import { usageError } from '../../errors.js'
import { materialOf, methodDefaults, needsRewards } from '../../methods/registry.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import { type Needs, required } from '../../session/needs.js'

type Trained = SectionOptions<'data' | 'method' | 'rescore'> & Pick<Options, 'evalGenerationSteps'>

interface Idle {
  keys: readonly ConfigKey[]
  reason: string
  /** What to do, unless the key is removed. */
  remedy: string
  /** In a file they are for other commands as a rule, and not worth a line. */
  quiet?: boolean
}

const keysOf = (...sections: object[]) => sections.flatMap((section) => Object.keys(section)) as ConfigKey[]

/** What makes rewards; `score_cache_dir` keeps the log-probabilities of a reference, too. */
const REWARD_KEYS = keysOf(scoreSection, endpointSection).filter((key) => key !== 'score_cache_dir')

/** What reads the rows of a dataset. */
const READING_KEYS: readonly ConfigKey[] = ['dataset_format', 'columns', 'reward_column', 'splitter']

/**
 * Looks at what nothing would read: names keys of the config file in one line.
 * @throws ClhaError (exit 2) naming the flags that have no effect, why, and what to do
 */
export function checkActing({ options, config, ui }: Needs<Trained, 'config' | 'ui'>): void {
  const found = idleOf(options)
  const flags = found.flatMap(({ keys, ...idle }) =>
    keys.filter((key) => config.origin[key] === 'flag').map((key) => ({ ...idle, key })),
  )
  if (flags.length > 0) {
    const lines = flags.map(({ key, reason }) => `${flagName(key)}  ${key} has no effect: ${reason}`)
    throw usageError(
      lines.join('\n'),
      `${[...new Set(flags.map(({ remedy }) => remedy))].join('; ')}, or leave out what has no effect`,
    )
  }
  for (const { keys, reason, remedy, quiet } of found) {
    const set = quiet ? [] : keys.filter((key) => isChosen(config, key))
    if (set.length > 0)
      ui.warn(
        `${config.file}: no effect on this training: ${set.join(', ')} (${reason})`,
        `${remedy}, or leave it to the commands that read it`,
      )
  }
}

/** Set in the file to something else than it would be anyway: a run's own config.yaml holds every key. */
function isChosen({ origin, values }: ResolvedConfig, key: ConfigKey): boolean {
  if (origin[key] !== 'file') return false
  const { mode, method, loss_type } = values
  const unset = withDefaults({ mode, method, ...(loss_type && { loss_type }) }, '').values[key]
  return JSON.stringify(values[key]) !== JSON.stringify(unset)
}

function idleOf(options: Trained): Idle[] {
  const samples = options.evalGenerationSteps !== undefined
  const unsampled: Idle = {
    keys: ['max_new_tokens', 'stop', 'eval_batch_size'],
    reason: 'no answers are generated during the training',
    remedy: 'set eval_generation_steps',
    quiet: true,
  }
  const rewards = samples ? [] : REWARD_KEYS
  return [
    ...(samples ? [] : [unsampled]),
    ...([required(options, 'trainDataset')].flat().every(isRankedFile)
      ? [ofRanked(rewards)]
      : needsRewards(options)
        ? []
        : ofLabels(options, rewards)),
  ]
}

const ofRanked = (rewards: readonly ConfigKey[]): Idle => ({
  keys: [...keysOf(rescoreSection), ...READING_KEYS, ...rewards],
  reason: 'a rescored file brings its order and weights',
  remedy: 'rescore again',
})

/** Where labels alone order the answers. */
function ofLabels(options: Trained, rewards: readonly ConfigKey[]): Idle[] {
  const { method, lossType, labelSource, pairWeight, minConfidence } = options
  const alone = materialOf(options) === 'answer'
  const reason = alone
    ? `method: ${method} takes the answers that people chose`
    : `label_source: ${labelSource} orders the answers by the labels alone`
  const target = alone && labelSource !== 'human' ? 'sft_target: best' : 'label_source: posterior'
  const remedy = `set ${target} to make rewards count`
  // Its reward tells which of several chosen answers SFT takes.
  const column: ConfigKey[] = alone ? [] : ['reward_column']
  // Made for rewards, a loss takes from the belief in a label how far apart the answers are.
  const ofGaps = methodDefaults({ method, loss_type: lossType }).label_source === 'reward'
  const alike = pairWeight === 'hard' && minConfidence === 0.5 && !ofGaps
  return [
    { keys: [...rewards, ...column, 'reward_temperature'], reason, remedy },
    {
      keys: alike ? ['label_error'] : [],
      reason: 'pair_weight: hard and min_confidence: 0.5 count every label alike',
      remedy: 'set label_source: posterior',
    },
  ]
}
