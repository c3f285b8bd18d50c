/** Config section: the training method and the constants of its loss. Who uses which, and whose defaults: `methods.ts`. */
import { z } from 'zod'
import { nonNegative, positive, text } from '../../value-shapes.js'
import { LOSS_TYPES, METHOD_NAMES } from '../methods.js'

export const methodSection = {
  method: z
    .enum(METHOD_NAMES)
    .default('clha')
    .describe('clha: contrast and adaptive SFT; sft: one answer only; the others: docs/methods.md'),
  mode: z
    .enum(['default', 'legacy'])
    .default('default')
    .describe("legacy: the rules and the defaults of the paper's code"),
  margin: nonNegative().default(1).describe('margin of the contrast, nats per token; legacy: 3'),
  margin_scale: z
    .enum(['constant', 'rank'])
    .default('constant')
    .describe('rank: the margin is multiplied by the rank distance of the pair; legacy: rank'),
  sft_weight: nonNegative()
    .default(1)
    .describe(
      'weight of the SFT term, a mean over tokens; legacy, pro: 0.05, on sums over tokens; clha, rrhf: 1; the other methods: 0',
    ),
  sft_target: z
    .enum(['chosen', 'best'])
    .optional()
    .describe(
      'sft: the answer that people chose, or the best by label_source; unset: chosen, of a rescored file the best',
    ),
  loss_type: z
    .enum(LOSS_TYPES)
    .optional()
    .describe('variant of dpo, kto or cpo, by its name in TRL; dpo, cpo: sigmoid; kto: kto'),
  list_pairs: z
    .enum(['all', 'adjacent', 'best_vs_rest'])
    .default('all')
    .describe('which pairs of a list are contrasted: all, neighbours in the order, the best with each other'),
  beta: positive()
    .default(0.1)
    .describe(
      'pull to the reference (dpo, kto, bco), scale of the margin (simpo: 2, cpo), weight of the ratio (orpo); more: docs/methods.md',
    ),
  label_smoothing: z
    .number()
    .min(0)
    .lt(0.5)
    .default(0)
    .describe('share of reversed labels that the loss expects, 0 to 0.5; robust: 0.1; exo_pair: 0.001'),
  f_divergence_type: z
    .enum(['reverse_kl', 'forward_kl', 'js_divergence', 'alpha_divergence'])
    .default('reverse_kl')
    .describe('divergence from the reference'),
  f_alpha_divergence_coef: positive().default(1).describe('alpha of the alpha divergence'),
  discopop_tau: positive().default(0.05).describe('temperature of the mixture of discopop'),
  dpop_lambda: nonNegative()
    .default(50)
    .describe('dpop: penalty where the better answer falls below the reference'),
  simpo_gamma: nonNegative().default(1).describe('target margin of simpo and alphapo'),
  alpha: z.number().default(0.25).describe("alphapo: shape of the reward; 0: SimPO's"),
  cpo_alpha: nonNegative()
    .default(1)
    .describe('cpo: weight of the likelihood of the better answers; alphapo: 0'),
  desirable_weight: nonNegative().default(1).describe('kto, bco: weight of the desirable answers'),
  undesirable_weight: nonNegative().default(1).describe('kto, bco: weight of the undesirable answers'),
  slic_delta: nonNegative().default(1).describe('slic_hf: margin, nats'),
  slic_lambda: nonNegative().default(0.1).describe('slic_hf: weight of the likelihood of the better answers'),
  rrhf_weight: nonNegative().default(1).describe('rrhf: weight of the ranking term'),
  rrhf_nll: z
    .enum(['sum', 'mean'])
    .default('sum')
    .describe('rrhf: likelihood of the best answer as sum (the paper) or mean (its code) over tokens'),
  ref_model: text()
    .optional()
    .describe('folder of the reference model; unset: the start model (without the adapter that is trained)'),
  coh_positive: text()
    .default(' A helpful answer:')
    .describe('coh: text before better answers; also ends the prompts that a model so trained answers'),
  coh_negative: text().default(' An unhelpful answer:').describe('coh: text before worse answers'),
}
