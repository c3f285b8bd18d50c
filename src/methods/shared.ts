/** Settings and defaults that several methods have in common. */
import { z } from 'zod'
import { nonNegative, positive, text } from '../value-shapes.js'

export const sharedKeys = {
  sft_weight: nonNegative()
    .default(1)
    .describe(
      'weight of the SFT term, a mean over tokens; legacy, pro: 0.05, on sums over tokens; clha, rrhf: 1; the other methods: 0',
    ),
  list_pairs: z
    .enum(['all', 'adjacent', 'best_vs_rest'])
    .default('all')
    .describe('which pairs of a list are contrasted: all, neighbours in the order, the best with each other'),
  beta: positive()
    .default(0.1)
    .describe(
      'pull to the reference (dpo, kto, bco), scale of the margin (simpo: 2, cpo), weight of the ratio (orpo); more: docs/methods.md',
    ),
  gap_scale: positive()
    .default(1)
    .describe(
      'rpo_sq, rpo_bwd_kl, rpo_fwd_kl, mmpo, odpo, infonca: what the reward gap, in log-odds, is multiplied by',
    ),
  label_smoothing: z
    .number()
    .min(0)
    .lt(0.5)
    .default(0)
    .describe('share of reversed labels that the loss expects, 0 to 0.5; robust: 0.1; exo_pair: 0.001'),
  ref_model: text()
    .optional()
    .describe('folder of the reference model; unset: the start model (without the adapter that is trained)'),
}

/** What a method is compared with unless the user says otherwise: the labels as they stand, all pairs alike. */
export const HUMAN = { label_source: 'human', pair_weight: 'hard', min_confidence: 0.5, sft_weight: 0 }

/** The paper's order by reward, all pairs alike. */
export const REWARD = { label_source: 'reward', pair_weight: 'hard', min_confidence: 0.5, sft_gate: 'off' }

export const GATE_KEYS = ['sft_gate', 'gate_quantile', 'gate_level']
export const LABEL_KEYS = ['label_source', 'relabels', 'label_error', 'reward_temperature']

/** On the progress line of a method that learns one text at a time. */
export const likelihoodShown = () => ({ accuracy: 'mean_token_accuracy' })

/** On the progress line of a method that learns from pairs. */
export function rankingShown({ sftWeight }: { sftWeight: number }): Record<string, string> {
  const ranking = { acc: 'rewards/accuracies', margin: 'rewards/margins' }
  return sftWeight > 0 ? { rank: 'rank_loss', sft: 'sft_loss', ...ranking } : ranking
}
