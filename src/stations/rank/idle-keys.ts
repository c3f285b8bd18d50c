/** Keys that a training leaves without effect by its data, its labels or its samples. */
import { checkIdle, type IdleKeys } from '../../config/idle-keys.js'
import type { Options, SectionOptions } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { endpointSection } from '../../config/sections/endpoint-section.js'
import { rescoreSection } from '../../config/sections/rescore-section.js'
import { scoreSection } from '../../config/sections/reward-section.js'
import { materialOf, methodDefaults, needsRewards } from '../../methods/registry.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import { type Needs, required } from '../../session/needs.js'

type Trained = SectionOptions<'data' | 'method' | 'rescore'> & Pick<Options, 'evalGenerationSteps'>

const keysOf = (...sections: object[]) => sections.flatMap((section) => Object.keys(section)) as ConfigKey[]

/** What makes rewards; `score_cache_dir` keeps the log-probabilities of a reference, too. */
const REWARD_KEYS = keysOf(scoreSection, endpointSection).filter((key) => key !== 'score_cache_dir')

/** What reads the rows of a dataset. */
const READING_KEYS: readonly ConfigKey[] = ['dataset_format', 'columns', 'reward_column', 'splitter']

/**
 * Looks at what a training would not read.
 * @throws ClhaError (exit 2) as `checkIdle`
 */
export const checkActing = (session: Needs<Trained, 'config' | 'ui'>): void =>
  checkIdle(session, idleOf(session.options))

function idleOf(options: Trained): IdleKeys[] {
  const samples = options.evalGenerationSteps !== undefined
  const unsampled: IdleKeys = {
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

const ofRanked = (rewards: readonly ConfigKey[]): IdleKeys => ({
  keys: [...keysOf(rescoreSection), ...READING_KEYS, ...rewards],
  reason: 'a rescored file brings its order and weights',
  remedy: 'rescore again',
})

/** Where labels alone order the answers. */
function ofLabels(options: Trained, rewards: readonly ConfigKey[]): IdleKeys[] {
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
