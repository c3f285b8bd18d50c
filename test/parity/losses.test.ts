/** Losses against TRL, transformers and formulas in double precision: values and gradients. */
import { bradleyTerryLoss } from '../../src/losses/bradley-terry.js'
import { ktoFacts, ktoTerm } from '../../src/losses/kto.js'
import { proLoss } from '../../src/losses/pro.js'
import { rrhfLoss } from '../../src/losses/rrhf.js'
import { sftDenominators, sftLoss } from '../../src/losses/sft.js'
import type { LossList } from '../../src/losses/types.js'
import { unpairedDenominators, unpairedLoss } from '../../src/losses/unpaired.js'
import { type DType, f64, gradients, i64, ops, requiresGrad, scope } from '../../src/tensor/index.js'
import { relative } from '../helpers/numbers.js'
import { allPairs, byReward, type Loss, type Numbers, runLoss } from '../losses/lists.js'
import { lossOf, type PairCase, type PairInputs, pairLists, run } from '../losses/pairwise-cases.js'
import { type Check, json, parity, unequal } from './parity.js'

const DTYPES: [DType, number][] = [
  ['f64', 1e-12],
  ['f32', 1e-6],
]

interface Expected {
  loss: number
  gradient: number[]
}

/** The loss in both precisions against the recorded value and gradient. */
function checkLoss(
  check: Check,
  where: string,
  { loss, gradient }: Expected,
  compute: (dtype: DType) => Pick<Numbers, 'total' | 'gradient'>,
  loosest = 0,
): void {
  for (const [dtype, least] of DTYPES) {
    const tolerance = dtype === 'f32' ? Math.max(least, loosest) : least
    const found = compute(dtype)
    check(`${dtype} loss`, relative([found.total], [loss]), tolerance, where)
    check(`${dtype} gradient`, relative(found.gradient, gradient), tolerance, where)
  }
}

/** Plain likelihood of the first answer: per token, or summed or averaged within each sequence. */
function likelihood(name: string): Loss | undefined {
  if (name === 'sft_token_mean')
    return (scores, lists) => {
      const counts = lists.map((_, i) => scores.counts.slice(scores.offsets[i], scores.offsets[i + 1]))
      return sftLoss(scores, lists, sftDenominators(lists, counts))
    }
  const nll = ({ sft_sequence_sum: 'sum', sft_sequence_mean: 'mean' } as const)[name]
  return nll && ((scores, lists) => rrhfLoss(scores, lists, { rankWeight: 0, sftWeight: 1, nll }))
}

parity('losses/pairwise.json', (check) => {
  const { inputs, cases } = json<{ inputs: PairInputs; cases: PairCase[] }>('losses/pairwise.json')
  const { sums, counts, reference, lists } = pairLists(inputs)
  const open = lists.map((list): LossList => ({ pairs: [], sft: { ...list.sft, weight: 1 } }))
  for (const { name, params, loss, grad } of cases) {
    const [known, plain] = [lossOf(name, params), likelihood(name)]
    const where = `${name} ${JSON.stringify(params)}`
    check('known', unequal(known !== undefined || plain !== undefined, true), 0, where)
    if (!known && !plain) continue
    const gradient = grad.d_chosen_sum.flatMap((d, i) => [d, grad.d_rejected_sum[i]])
    checkLoss(check, where, { loss, gradient }, (dtype) =>
      runLoss(known ? run(known) : (plain as Loss), sums, counts, known ? lists : open, {
        dtype,
        reference: reference.flat(),
      }),
    )
  }
})

interface KtoCase {
  name: string
  variant: string
  params: { beta: number; desirable_weight: number; undesirable_weight: number }
  inputs: Record<'policy_sum' | 'count' | 'ref_sum' | 'policy_kl_sum' | 'ref_kl_sum', number[]> & {
    label: boolean[]
  }
  kl: number
  loss: number
  grad: { d_policy_sum: number[] }
}

parity('losses/kto.json', (check) => {
  for (const { name, variant, params, inputs, kl, loss, grad } of json<{ cases: KtoCase[] }>(
    'losses/kto.json',
  ).cases) {
    const where = `${name} ${variant} ${JSON.stringify(params)}`
    const facts = ktoFacts(inputs.policy_kl_sum.map((s, i) => s - inputs.ref_kl_sum[i]))
    // The other unpaired form takes no estimate of the divergence.
    const shifted = name === 'kto'
    if (shifted) check('KL estimate', relative([facts.shift!], [kl]), 1e-12, where)
    const options = {
      term: ktoTerm(params),
      desirableWeight: params.desirable_weight,
      undesirableWeight: params.undesirable_weight,
      sftWeight: 0,
    }
    const column = (values: number[]) => values.map((v) => [v])
    const lists = inputs.label.map(
      (desirable): LossList => ({
        pairs: [],
        sft: { index: 0, weight: 0, group: 0 },
        rows: [{ index: 0, desirable, weight: 1, group: 0 }],
      }),
    )
    const denominators = {
      ...unpairedDenominators(lists, column(inputs.count)),
      facts: shifted ? facts : undefined,
    }
    checkLoss(check, where, { loss, gradient: grad.d_policy_sum }, (dtype) =>
      runLoss(
        (s, l, d = denominators) => unpairedLoss(s, l, options, d),
        column(inputs.policy_sum),
        column(inputs.count),
        lists,
        {
          dtype,
          reference: inputs.ref_sum,
        },
      ),
    )
  }
})

interface RewardCase {
  params: { center_rewards_coefficient: number | null }
  inputs: { chosen: number[]; rejected: number[]; margin?: number[] }
  loss: number
  grad: { d_chosen: number[]; d_rejected: number[] }
}

parity('losses/reward.json', (check) => {
  for (const { params, inputs, loss, grad } of json<{ cases: RewardCase[] }>('losses/reward.json').cases) {
    const centerRewardsCoefficient = params.center_rewards_coefficient ?? 0
    const options = { centerRewardsCoefficient, margins: inputs.margin }
    const rewards = inputs.chosen.map((r, i) => [r, inputs.rejected[i]])
    const gradient = grad.d_chosen.flatMap((d, i) => [d, grad.d_rejected[i]])
    const where = `centering ${centerRewardsCoefficient}, ${inputs.margin ? 'with' : 'without'} margins`
    checkLoss(check, where, { loss, gradient }, (dtype) =>
      runLoss(
        (s, l, d) => bradleyTerryLoss(s, l, options, d),
        rewards,
        rewards,
        rewards.map(() => allPairs(2)),
        {
          dtype,
        },
      ),
    )
  }
})

interface ListCase {
  name: 'pro' | 'rrhf'
  params: { eps_in_log: number; sft_weight: number; rank_weight: number; nll: 'sum' | 'mean' }
  inputs: { sum_logps: number[][]; count: number[][]; reward: number[][] }
  rank: number
  total: number
  grad: { d_sum_total: number[][]; d_sum_rank?: number[][] }
}

parity('losses/listwise.json', (check) => {
  for (const { name, params, inputs, rank, total, grad } of json<{ cases: ListCase[] }>(
    'losses/listwise.json',
  ).cases) {
    const { eps_in_log: epsilon, sft_weight: sftWeight, rank_weight: rankWeight = 1, nll } = params
    const loss: Loss = (s, l, d) =>
      name === 'pro'
        ? proLoss(s, l, { sftWeight, epsilon }, d)
        : rrhfLoss(s, l, { rankWeight, sftWeight: 1, nll }, d)
    const where = `${name} ${JSON.stringify(params)}, n = ${inputs.reward[0].length}`
    const compute = (dtype: DType) =>
      runLoss(loss, inputs.sum_logps, inputs.count, inputs.reward.map(byReward), { dtype })
    const loosest = name === 'pro' ? 1e-5 : 0
    checkLoss(check, where, { loss: total, gradient: grad.d_sum_total.flat() }, compute, loosest)
    const { parts, partGradients } = compute('f64')
    check('f64 rank', relative([parts.rank_loss], [rank]), 1e-12, where)
    if (grad.d_sum_rank)
      check('f64 rank gradient', relative(partGradients.rank_loss, grad.d_sum_rank.flat()), 1e-12, where)
  }
})

interface NllCase {
  params: { num_items_in_batch: number | null }
  loss: number
  grad: { d_logits: number[][][] }
}

/** The head gives log-probs from its own logits: an identity for its weight makes the recorded ones the input. */
parity('losses/causal_nll.json', (check) => {
  const { inputs, cases } = json<{ inputs: { logits: number[][][]; labels: number[][] }; cases: NllCase[] }>(
    'losses/causal_nll.json',
  )
  const [batch, length, width] = [inputs.logits.length, inputs.logits[0].length, inputs.logits[0][0].length]
  const scored = inputs.labels.flatMap((labels, b) =>
    labels.flatMap((label, t) => (t > 0 && label >= 0 ? [{ b, row: b * length + t - 1, label }] : [])),
  )
  const counts = inputs.labels.map((_, b) => [scored.filter((s) => s.b === b).length])
  const lists = counts.map((): LossList => ({ pairs: [], sft: { index: 0, weight: 1, group: 0 } }))
  const identity = Array.from({ length: width * width }, (_, i) => (i % (width + 1) === 0 ? 1 : 0))
  for (const { params, loss, grad } of cases) {
    const denominators = params.num_items_in_batch
      ? { pairs: new Map(), sft: new Map([[0, params.num_items_in_batch]]) }
      : sftDenominators(lists, counts)
    const compute = (dtype: DType) =>
      scope(() => {
        const logits = requiresGrad(ops.to(f64(inputs.logits.flat(2), [batch * length, width]), dtype))
        const rows = ops.indexSelect(logits, 0, i64(scored.map((s) => s.row)))
        const head = ops.to(f64(identity, [width, width]), dtype)
        const [logp] = ops.linearLogProb(rows, head, i64(scored.map((s) => s.label)))
        const sum = ops.indexAdd(ops.zeros([batch], dtype), 0, i64(scored.map((s) => s.b)), logp)
        const offsets = Array.from({ length: batch + 1 }, (_, i) => i)
        const { total } = sftLoss({ sum, counts: counts.flat(), offsets }, lists, denominators)
        return { total: total.item(), gradient: gradients([total], [logits])[0]?.numbers() ?? [] }
      })
    checkLoss(check, JSON.stringify(params), { loss, gradient: grad.d_logits.flat(2) }, compute)
  }
})
