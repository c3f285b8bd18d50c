/** The recorded pairwise cases: six pairs, one loss each, and the term here that stands for each name. */
import { alphapoTerm } from '../../src/losses/alphapo.js'
import { aotFacts, aotTerm, aotUnpairedFacts, aotUnpairedTerm } from '../../src/losses/aot.js'
import { apoDownTerm, apoZeroTerm } from '../../src/losses/apo.js'
import { bcoPairTerm } from '../../src/losses/bco.js'
import { cpoHingeTerm, cpoTerm } from '../../src/losses/cpo.js'
import { discopopTerm } from '../../src/losses/discopop.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import { dpoHingeTerm } from '../../src/losses/dpo-hinge.js'
import { robustTerm } from '../../src/losses/dpo-robust.js'
import { dpopTerm } from '../../src/losses/dpop.js'
import { drDpoFacts, drDpoTerm } from '../../src/losses/dr-dpo.js'
import { exoTerm } from '../../src/losses/exo.js'
import { ipoTerm } from '../../src/losses/ipo.js'
import { ncaTerm } from '../../src/losses/nca.js'
import { orpoTerm } from '../../src/losses/orpo.js'
import {
  type PairNumbers,
  type PairTerm,
  pairwiseDenominators,
  pairwiseLoss,
} from '../../src/losses/pairwise.js'
import { mmpoTerm, odpoTerm } from '../../src/losses/reward-margins.js'
import { ropoTerm } from '../../src/losses/ropo.js'
import { rpoBwdKlTerm, rpoFwdKlTerm, rpoSqTerm } from '../../src/losses/rpo.js'
import { rpoEmLoss } from '../../src/losses/rpo-em.js'
import { sigmoidNormTerm } from '../../src/losses/sigmoid-norm.js'
import { simpoTerm } from '../../src/losses/simpo.js'
import { slicTerm } from '../../src/losses/slic-hf.js'
import { sppoTerm } from '../../src/losses/sppo.js'
import type { LossList, StepFacts } from '../../src/losses/types.js'
import { readJson } from '../fixtures.js'
import { allPairs, type Loss } from './lists.js'

type Params = Partial<
  Record<
    | 'beta'
    | 'beta_prime'
    | 'label_smoothing'
    | 'discopop_tau'
    | 'gamma'
    | 'alpha'
    | 'lambda'
    | 'delta'
    | 'gap_scale'
    | 'reliability'
    | 'cpo_alpha',
    number
  >
>

export interface PairCase {
  name: string
  params: Params
  loss: number
  grad: { d_chosen_sum: number[]; d_rejected_sum: number[] }
}

export interface PairInputs {
  policy_chosen_sum: number[]
  policy_rejected_sum: number[]
  chosen_count: number[]
  rejected_count: number[]
  ref_chosen_sum: number[]
  ref_rejected_sum: number[]
}

const zip = (a: readonly number[], b: readonly number[]) => a.map((x, i) => [x, b[i]])

export const shutGate = (list: LossList): LossList => ({ ...list, sft: { ...list.sft, weight: 0 } })

/** The recorded pairs as lists of two, with one row of scores a list. */
export function pairLists(inputs: PairInputs) {
  const sums = zip(inputs.policy_chosen_sum, inputs.policy_rejected_sum)
  return {
    sums,
    counts: zip(inputs.chosen_count, inputs.rejected_count),
    reference: zip(inputs.ref_chosen_sum, inputs.ref_rejected_sum),
    lists: sums.map(() => shutGate(allPairs(2))),
  }
}

export const readPairs = () => readJson<{ inputs: PairInputs; cases: PairCase[] }>('losses/pairwise.json')

export interface PairLoss {
  term: PairTerm
  nllWeight?: number
  /** Facts of the whole step, from scores [lists][2]. */
  facts?(lists: readonly LossList[], sums: readonly number[][], reference: readonly number[][]): StepFacts
}

export const pairNumbers = (
  lists: readonly LossList[],
  sums: readonly number[][],
  reference: readonly number[][],
): PairNumbers[] =>
  lists.flatMap((list, i) =>
    list.pairs
      .filter((p) => p.weight !== 0)
      .map((pair) => ({
        pair,
        better: sums[i][pair.better],
        worse: sums[i][pair.worse],
        betterReference: reference[i][pair.better],
        worseReference: reference[i][pair.worse],
      })),
  )

/** By the case's name. */
export function lossOf(name: string, p: Params): PairLoss | undefined {
  const beta = p.beta ?? 1
  const labelSmoothing = p.label_smoothing ?? 0
  const aot = { beta, labelSmoothing }
  const drDpo = { beta, betaPrime: p.beta_prime ?? 1 }
  const simpo = { ...aot, gamma: p.gamma ?? 0 }
  const gaps = { beta, gapScale: p.gap_scale ?? 1 }
  const em = rpoEmLoss({ beta, reliability: p.reliability ?? 0.75, rate: 0.1 })
  const numbers =
    (of: (n: PairNumbers[]) => StepFacts): PairLoss['facts'] =>
    (l, s, r) =>
      of(pairNumbers(l, s, r))
  const table: Record<string, PairLoss> = {
    dpo_sigmoid: { term: dpoTerm(aot) },
    cdpo: { term: dpoTerm(aot) },
    robust: { term: robustTerm(aot) },
    dpo_hinge: { term: dpoHingeTerm({ beta }) },
    ipo: { term: ipoTerm({ beta, over: 'tokens' }) },
    ipo_sum: { term: ipoTerm({ beta, over: 'sums' }) },
    apo_zero: { term: apoZeroTerm({ beta }) },
    apo_down: { term: apoDownTerm({ beta }) },
    exo_pair: { term: exoTerm(aot) },
    nca_pair: { term: ncaTerm({ beta }) },
    bco_pair: { term: bcoPairTerm({ beta }) }, // recorded with delta = 0
    sppo_hard: { term: sppoTerm({ beta }) },
    aot: { term: aotTerm(aot), facts: numbers(aotFacts) },
    aot_unpaired: { term: aotUnpairedTerm(aot), facts: numbers(aotUnpairedFacts) },
    discopop: { term: discopopTerm({ beta, tau: p.discopop_tau ?? 0.05 }) },
    sigmoid_norm: { term: sigmoidNormTerm({ beta }) },
    dpop: { term: dpopTerm({ beta, lambda: p.lambda ?? 0 }) },
    dr_dpo: { term: drDpoTerm(drDpo), facts: numbers(drDpoFacts(drDpo)) },
    rpo_em: { term: em.term, facts: numbers((n) => em.facts?.(n, false) as StepFacts) },
    ropo: { term: ropoTerm({ beta, alpha: p.alpha ?? 14 }) },
    rpo_sq: { term: rpoSqTerm(gaps) },
    rpo_bwd_kl: { term: rpoBwdKlTerm(gaps) },
    rpo_fwd_kl: { term: rpoFwdKlTerm(gaps) },
    mmpo: { term: mmpoTerm(gaps) },
    odpo: { term: odpoTerm(gaps) },
    simpo: { term: simpoTerm(simpo) },
    cpo: { term: cpoTerm(aot), nllWeight: p.cpo_alpha },
    cpo_hinge: { term: cpoHingeTerm({ beta }) },
    alphapo: { term: alphapoTerm({ ...simpo, alpha: p.alpha ?? 0 }) },
    orpo: { term: orpoTerm({ beta: p.lambda ?? 0.1 }), nllWeight: 1 },
    slic_hf: { term: slicTerm({ delta: p.delta ?? 1, lambda: p.lambda ?? 0 }) },
  }
  return table[name]
}

/** The loss over `lists` alone, or as a part of a step whose denominators are given. */
export function run({ term, nllWeight = 0, facts }: PairLoss, sftWeight = 0): Loss {
  return (scores, lists, given) => {
    const rows = <T>(flat: readonly T[]) =>
      scores.offsets.slice(1).map((end, i) => flat.slice(scores.offsets[i], end))
    const denominators = given ?? {
      ...pairwiseDenominators(lists, rows(scores.counts)),
      facts: facts?.(lists, rows(scores.sum.numbers()), rows(scores.reference ?? [])),
    }
    return pairwiseLoss(scores, lists, { term, nllWeight, sftWeight }, denominators)
  }
}
