/** The posterior with an error for each rater, beside CROWDLAB's weighting and the majority, on simulated raters. */
import { expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import { pairLogit } from '../../src/rescore/beliefs.js'
import { calibrate } from '../../src/rescore/calibrate.js'
import { annotatorShifts } from '../../src/rescore/noise/annotators.js'
import { sigmoid } from '../../src/statistics/statistics.js'
import { crowdlab } from './crowdlab.js'

test('CROWDLAB by hand: two raters and a model on four pairs', () => {
  // Consensus: up, up (a tie: the model decides), down, up. ann agrees in 4 of 4, bob in 3 of 4, the model in 3 of 4.
  const labels = (ann: boolean, bob: boolean) =>
    new Map([
      ['ann', ann],
      ['bob', bob],
    ])
  const pairs = [
    { model: 0.9, labels: labels(true, true) },
    { model: 0.6, labels: labels(true, false) },
    { model: 0.7, labels: labels(false, false) },
    { model: 0.8, labels: labels(true, true) },
  ]
  // The commonest consensus has 3 of 4: 1 - (1 - 1) / 0.25 = 1, 1 - 0.25 / 0.25 = 0; so bob and the model weigh nothing.
  const p = 7 / 8
  expect(crowdlab(pairs).map((x) => x.toFixed(4))).toEqual([p, p, 1 - p, p].map((x) => x.toFixed(4)))
})

/** Errors of five raters; each pair has two or three of them. */
const ERRORS: Record<string, number> = { ann: 0.05, bob: 0.1, cy: 0.2, di: 0.35, ed: 0.45 }

function simulate(seed: number) {
  const random = createRandom(`crowd:${seed}`)
  return Array.from({ length: 1500 }, () => {
    const gap = random.normal() * 1.5
    const truth = random.next() < sigmoid(gap)
    const raters = random.shuffle(Object.keys(ERRORS)).slice(0, random.next() < 0.5 ? 2 : 3)
    const labels = new Map(raters.map((who) => [who, random.next() < ERRORS[who] ? !truth : truth]))
    return { gap, truth, labels }
  })
}

/** From the rewards and labels alone, as rescoring does. */
function posterior(pairs: ReturnType<typeof simulate>): { beliefs: number[]; temperature: number } {
  const votes = pairs.map(({ labels }) => {
    const by = new Map(
      [...labels].map(([who, up]): [string, [number, number]] => [who, up ? [1, 0] : [0, 1]]),
    )
    const up = [...labels.values()].filter(Boolean).length
    return { first: 0, second: 1, up, down: labels.size - up, by }
  })
  const scale = calibrate({
    gap: Float64Array.from(pairs, ({ gap }) => gap),
    up: Float64Array.from(votes, ({ up }) => up),
    down: Float64Array.from(votes, ({ down }) => down),
    weight: new Float64Array(pairs.length).fill(1),
  })
  const witnessed = pairs.map(({ gap }, i) => ({ gap, votes: votes[i] }))
  const annotators = annotatorShifts([{ pairs: witnessed, scale }], scale.labelError)
  const beliefs = pairs.map(({ gap }, i) => sigmoid(pairLogit(gap, votes[i], { ...scale, annotators })))
  return { beliefs, temperature: scale.temperature }
}

const quality = (beliefs: readonly number[], pairs: ReturnType<typeof simulate>) => ({
  right: pairs.filter(({ truth }, i) => beliefs[i] > 0.5 === truth).length / pairs.length,
  loss:
    pairs.reduce((sum, { truth }, i) => sum - Math.log(truth ? beliefs[i] : 1 - beliefs[i]), 0) /
    pairs.length,
})

test('of simulated raters the posterior is right more often than CROWDLAB, and surer where it may be', () => {
  for (let seed = 1; seed <= 5; seed++) {
    const pairs = simulate(seed)
    const { beliefs, temperature } = posterior(pairs)
    const ours = quality(beliefs, pairs)
    const model = pairs.map(({ gap }) => sigmoid(gap / temperature))
    const theirs = quality(crowdlab(pairs.map(({ labels }, i) => ({ model: model[i], labels }))), pairs)
    const majority = pairs.map(({ labels }) => {
      const up = [...labels.values()].filter(Boolean).length
      return up / labels.size
    })
    const votes = pairs.filter(({ truth }, i) => majority[i] !== 0.5 && majority[i] > 0.5 === truth).length
    const ties = majority.filter((share) => share === 0.5).length
    expect(theirs.right, `seed ${seed}`).toBeGreaterThan((votes + ties / 2) / pairs.length)
    expect(ours.right, `seed ${seed}`).toBeGreaterThan(theirs.right)
    expect(ours.loss, `seed ${seed}`).toBeLessThan(theirs.loss)
  }
})
