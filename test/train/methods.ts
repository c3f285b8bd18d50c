/** Every method as an objective, and items of the form that it learns from. */
import { aotFacts, aotTerm, aotUnpairedFacts, aotUnpairedTerm } from '../../src/losses/aot.js'
import { bcoPairLoss, bcoTerm } from '../../src/losses/bco.js'
import { calDpoTerm } from '../../src/losses/cal-dpo.js'
import { cpoTerm } from '../../src/losses/cpo.js'
import { dpoTerm } from '../../src/losses/dpo.js'
import { dpoHingeTerm } from '../../src/losses/dpo-hinge.js'
import { dpopTerm } from '../../src/losses/dpop.js'
import { drDpoFacts, drDpoTerm } from '../../src/losses/dr-dpo.js'
import { ipoTerm } from '../../src/losses/ipo.js'
import { ktoTerm } from '../../src/losses/kto.js'
import { mixed } from '../../src/losses/mix.js'
import { orpoTerm } from '../../src/losses/orpo.js'
import type { PairLoss, PairTerm } from '../../src/losses/pairwise.js'
import { rpoSqTerm } from '../../src/losses/rpo.js'
import { rpoEmLoss } from '../../src/losses/rpo-em.js'
import { simpoTerm } from '../../src/losses/simpo.js'
import { slicTerm } from '../../src/losses/slic-hf.js'
import { withMismatched } from '../../src/methods/items.js'
import type { TrainItem } from '../../src/train/loop/items.js'
import type { Objective } from '../../src/train/objectives/objective.js'
import { sftObjective } from '../../src/train/objectives/objective.js'
import {
  infoNcaObjective,
  pairwiseObjective,
  proObjective,
  rrhfObjective,
  withRunningMean,
} from '../../src/train/objectives/objective-pairs.js'
import { rowRewards, rowsObjective } from '../../src/train/objectives/objective-rows.js'
import { weightedSftObjective } from '../../src/train/objectives/objective-sequences.js'
import { CLHA } from './tiny.js'

const reward = (sum: number, _: number, reference: number) => 0.5 * (sum - reference)
const pairs = (term: PairTerm, nllWeight = 0): Objective =>
  pairwiseObjective({ name: 'pairs', term, nllWeight, sftWeight: 0, reward })
const whole = (loss: PairLoss): Objective =>
  pairwiseObjective({ name: 'pairs', ...loss, nllWeight: 0, sftWeight: 0, reward })
const rows = { name: 'rows', beta: 0.5, desirableWeight: 1, undesirableWeight: 1, sftWeight: 0 }
const drDpo = { beta: 0.5, betaPrime: 1 }
const aot = { beta: 0.5, labelSmoothing: 0 }

/** Fresh ones at each call: some have a state. */
export const methods = (): Record<string, Objective> => ({
  clha: CLHA,
  sft: sftObjective(),
  coh: weightedSftObjective('coh'),
  pro: proObjective({ sftWeight: 0.05, epsilon: 0 }),
  rrhf: rrhfObjective({ rankWeight: 1, sftWeight: 1, nll: 'sum' }),
  dpo: pairs(dpoTerm({ beta: 0.5, labelSmoothing: 0.1 })),
  'dpo hinge': pairs(dpoHingeTerm({ beta: 0.5 })),
  ipo: pairs(ipoTerm({ beta: 0.5, over: 'tokens' })),
  dpop: pairs(dpopTerm({ beta: 0.5, lambda: 2 })),
  cal_dpo: pairs(calDpoTerm({ beta: 0.1 })),
  aot: pairwiseObjective({
    name: 'aot',
    term: aotTerm(aot),
    facts: aotFacts,
    nllWeight: 0,
    sftWeight: 0,
    reward,
  }),
  aot_unpaired: pairwiseObjective({
    name: 'aot',
    term: aotUnpairedTerm(aot),
    facts: aotUnpairedFacts,
    nllWeight: 0,
    sftWeight: 0,
    reward,
  }),
  dr_dpo: pairwiseObjective({
    name: 'dr_dpo',
    term: drDpoTerm(drDpo),
    facts: drDpoFacts(drDpo),
    nllWeight: 0,
    sftWeight: 0,
    reward,
  }),
  bco_pair: whole(bcoPairLoss({ beta: 0.5 })),
  rpo_em: whole(rpoEmLoss({ beta: 0.5, reliability: 0.75, rate: 0.1 })),
  rpo_sq: pairs(rpoSqTerm({ beta: 0.5, gapScale: 1 })),
  mix: whole(
    mixed([
      { name: 'sigmoid', weight: 0.8, loss: { term: dpoTerm({ beta: 0.5, labelSmoothing: 0 }) } },
      { name: 'bco_pair', weight: 0.2, loss: bcoPairLoss({ beta: 0.5 }) },
    ]),
  ),
  infonca: infoNcaObjective({ beta: 0.5, gapScale: 1, kind: 'infonca', sftWeight: 0.1 }),
  simpo: pairs(simpoTerm({ beta: 2, gamma: 1, labelSmoothing: 0 })),
  cpo: pairs(cpoTerm({ beta: 0.1, labelSmoothing: 0 }), 1),
  orpo: pairs(orpoTerm({ beta: 0.1 }), 1),
  slic_hf: pairs(slicTerm({ delta: 1, lambda: 0.1 })),
  kto: rowsObjective({ ...rows, term: ktoTerm({ beta: 0.5 }), mismatched: true }),
  bco: withRunningMean(
    rowsObjective({ ...rows, term: bcoTerm({ beta: 0.5 }), mismatched: false }),
    rowRewards(0.5),
  ),
})

/** The same lists with gaps, judged answers, mismatched answers and references, whether they are used or not. */
export function equipped(items: readonly TrainItem[]): TrainItem[] {
  const judged = items.map((item) => ({
    ...item,
    pairs: item.pairs.map((p) => ({ ...p, gap: 0.5 + p.distance })),
    rows: item.encoded.answers.map((_, index) => ({ index, desirable: index === 0, weight: 1 })),
  }))
  return withMismatched(judged, 40).map((item): TrainItem => {
    const sums = (answers: readonly { ids: Int32Array; scoredFrom: number }[]) =>
      answers.map(({ ids, scoredFrom }) => -3.5 * (ids.length - scoredFrom))
    const { encoded, mismatched } = item
    return {
      ...item,
      reference: sums(encoded.answers),
      mismatched: mismatched && { ...mismatched, reference: sums(mismatched.encoded.answers) },
    }
  })
}
