/** What every objective keeps, whatever its loss: true gradients, and nothing made of nothing. That a step may be split as one likes: methods.test.ts. */
import { describe, expect, test } from 'vitest'
import { backward, f64, gradOf, requiresGrad, scope } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { type Objective, rewardObjective } from '../../src/train/objectives/objective.js'
import { equipped, methods } from './methods.js'
import { randomItems } from './tiny.js'

const objectives = (): Record<string, Objective> => ({ ...methods(), reward: rewardObjective(0.01) })
const NAMES = Object.keys(objectives())
const STEP = 1e-6

describe.each(NAMES)('%s', (name) => {
  test('the gradient of each score is that of central differences', () => {
    const objective = objectives()[name]
    const items = equipped(randomItems(3, 'contract'))
    const batch = packStep(items, { maxTokens: 1e6, lastToken: objective.lastToken })
    const [micro] = batch.micro
    // No two scores are equal, and no gap lies on the corner of a hinge.
    const scores = micro.counts.map((count, i) => -0.7 * count - Math.sin(3 * i + 1))
    const byList = (sums: readonly number[]) =>
      micro.places.map((_, i) => sums.slice(micro.offsets[i], micro.offsets[i + 1]))
    const other = batch.mismatched?.reference.map((row) => row.map((r) => r + 0.3))
    const { preview } = objective
    // What a loss takes of the whole step moves with the scores, but for what it remembers of earlier steps.
    const denominatorsAt = (values: readonly number[]) => {
      // Expectation and maximisation in turn: while the scores move, the beliefs in the labels are held.
      const at = name === 'rpo_em' ? scores : values
      const taken = preview?.of === 'mismatched' ? (other ?? []) : byList(at)
      return { ...objective.denominators(batch), facts: preview?.take(batch, taken, false) }
    }
    const { counts, offsets } = micro
    const reference = batch.reference.flatMap((row) => [...(row ?? [])])
    const total = (values: readonly number[], use: (grad: number[]) => void = () => {}) =>
      scope(() => {
        const sum = requiresGrad(f64(values))
        const loss = objective.loss(
          { sum, counts, offsets, reference },
          batch.lists,
          denominatorsAt(values),
          1,
        )
        backward(loss.total)
        use(gradOf(sum)?.numbers() ?? [])
        return loss.total.item()
      })
    let gradient: number[] = []
    expect(Number.isFinite(total(scores, (grad) => (gradient = grad)))).toBe(true)
    expect(gradient.some((g) => g !== 0)).toBe(true)
    scores.forEach((_, i) => {
      const at = (shift: number) => total(scores.map((s, k) => (k === i ? s + shift : s)))
      expect(gradient[i]).toBeCloseTo((at(STEP) - at(-STEP)) / (2 * STEP), 6)
    })
  })

  test('of no list nothing counts, and the step is left out', () => {
    const objective = objectives()[name]
    expect(objective.counts(packStep([], { maxTokens: 100, lastToken: objective.lastToken }))).toBe(false)
  })
})
