/** One answer alone: SFT on the preferred one, best-of-n on that of the highest reward. */
import { z } from 'zod'
import { isRankedFile } from '../rescore/is-ranked-file.js'
import { bestItems } from './items.js'
import type { IdleRule, Method, OptionsOf, SharedOptions } from './method.js'
import { GATE_KEYS, LABEL_KEYS, likelihoodShown } from './shared.js'

export const sftKeys = {
  sft_target: z
    .enum(['chosen', 'best'])
    .optional()
    .describe(
      'sft: the answer that people chose, or the best by label_source; unset: chosen, of a rescored file the best',
    ),
}

type SftOptions = SharedOptions & OptionsOf<typeof sftKeys>

const noContrast = (name: string): IdleRule => ({
  keys: [
    ...['mode', 'margin', 'margin_scale', 'sft_weight', 'pair_weight', 'min_confidence', 'reward_threshold'],
    ...GATE_KEYS,
  ],
  reason: `method: ${name} has no contrast, no gate and no modes`,
})

/** Whether SFT takes the answer that people chose; of a rescored file it takes the best, unless told otherwise. */
function takesChosen({ sftTarget, trainDataset = [] }: SftOptions): boolean {
  if (sftTarget !== undefined) return sftTarget === 'chosen'
  return !trainDataset.some(isRankedFile)
}

const objective: Method['objective'] = async () =>
  (await import('../train/objectives/objective.js')).sftObjective()

export const sft: Method<SftOptions> = {
  title: 'supervised fine-tuning on the preferred answer',
  material: 'answer',
  keys: ['sft_target'],
  defaults: { learning_rate: 2e-5, label_source: 'reward' },
  idle: [
    noContrast('sft'),
    {
      keys: LABEL_KEYS,
      reason: 'method: sft has no contrast; who orders the answers matters with sft_target: best',
      when: ({ sft_target }) => sft_target !== 'best',
    },
  ],
  needsRewards: ({ sftTarget, labelSource }) => sftTarget === 'best' && labelSource !== 'human',
  objective,
  items: (lists, encoded, o) => bestItems(lists, encoded, takesChosen(o)),
  shown: likelihoodShown,
}

export const bon: Method = {
  title: 'best-of-n: supervised fine-tuning on the answer of the highest reward',
  material: 'answer',
  keys: [],
  defaults: { learning_rate: 2e-5, label_source: 'reward' },
  idle: [
    noContrast('bon'),
    { keys: LABEL_KEYS, reason: 'method: bon takes the answer of the highest reward' },
  ],
  objective,
  items: (lists, encoded) => bestItems(lists, encoded, false),
  shown: likelihoodShown,
}
