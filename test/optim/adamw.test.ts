import { describe, expect, test } from 'vitest'
import { ADAMW_DEFAULTS, createAdamW } from '../../src/optim/adamw.js'
import { clipGradients } from '../../src/optim/clip.js'
import { createRandom } from '../../src/random.js'
import {
  f32,
  f64,
  fromData,
  keep,
  native,
  ops,
  requiresGrad,
  scope,
  setGrad,
} from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'

test('a trajectory that stops and goes on from the saved state is the same, bit for bit', () => {
  const random = createRandom(1)
  const numbers = (n: number) => Array.from({ length: n }, () => random.normal())
  const [start, grads] = [numbers(12), Array.from({ length: 10 }, () => numbers(12))]
  const run = (stops: number[]) =>
    scope(() => {
      let w = requiresGrad(f32(start, [4, 3]))
      let adam = createAdamW([['w', w]], ADAMW_DEFAULTS)
      grads.forEach((g, t) => {
        if (stops.includes(t)) {
          const saved = adam.state().map(([name, tensor]) => [name, tensor.data(), tensor.shape] as const)
          expect(saved.map(([name]) => name)).toEqual(['exp_avg.w', 'exp_avg_sq.w', 'step.w'])
          adam.dispose()
          w = requiresGrad(fromData(w.data(), [4, 3]))
          adam = createAdamW([['w', w]], ADAMW_DEFAULTS)
          for (const [i, [, tensor]] of adam.state().entries()) {
            ops.copyInPlace(tensor, fromData(saved[i][1], saved[i][2]))
          }
        }
        setGrad(w, f32(g, [4, 3]))
        adam.step(1e-3)
      })
      adam.dispose()
      return w.numbers()
    })
  expect(run([1, 4, 9])).toEqual(run([]))
})

test('a parameter without a gradient stays as it is, and its step count too', () => {
  scope(() => {
    const [w, idle] = [requiresGrad(f32([1, 2])), requiresGrad(f32([3, 4]))]
    const adam = createAdamW(
      [
        ['w', w],
        ['idle', idle],
      ],
      ADAMW_DEFAULTS,
    )
    setGrad(w, f32([1, -1]))
    adam.step(0.1)
    expect(idle.numbers()).toEqual([3, 4])
    const steps = adam
      .state()
      .filter(([name]) => name.startsWith('step.'))
      .map(([, t]) => t.item())
    expect(steps).toEqual([1, 0])
    // the first step is the learning rate, against the sign of the gradient
    expect(maxDifference(w.numbers(), [0.9, 2.1])).toBeLessThan(1e-6)
    adam.clearGradients()
    adam.step(0.1)
    expect(adam.state()[2][1].item()).toBe(1)
    adam.dispose()
  })
})

test('a gradient that is not contiguous is taken as it is shaped', () => {
  scope(() => {
    const w = requiresGrad(f32([0, 0, 0, 0], [2, 2]))
    const adam = createAdamW([['w', w]], { ...ADAMW_DEFAULTS, weightDecay: 0 })
    setGrad(w, ops.transpose(f32([1, -1, 1, 1], [2, 2]), 0, 1)) // [[1, 1], [-1, 1]]
    adam.step(1)
    expect(maxDifference(w.numbers(), [-1, -1, 1, -1])).toBeLessThan(1e-6)
    adam.dispose()
  })
})

test('moments outlive scopes, and dispose frees them', () => {
  const before = native().memory().tensors
  const w = keep(requiresGrad(f32([1, 2])))
  const adam = scope(() => createAdamW([['w', w]], ADAMW_DEFAULTS))
  for (let i = 0; i < 20; i++) {
    scope(() => {
      setGrad(w, f32([1, 1]))
      clipGradients([w], 1)
      adam.step(0.1)
    })
  }
  expect(native().memory().tensors).toBe(before + 4)
  adam.dispose()
  w.dispose()
  expect(native().memory().tensors).toBe(before)
})

describe('clipping', () => {
  const clipped = (values: number[], maxNorm: number) =>
    scope(() => {
      const w = requiresGrad(f64(values))
      setGrad(w, f64(values))
      return clipGradients([w, requiresGrad(f64([1]))], maxNorm)
    })

  test('the norm comes back; only what is longer is scaled; 0 scales nothing', () => {
    scope(() => {
      const w = requiresGrad(f64([0, 0]))
      const scaledTo = (maxNorm: number) => {
        const grad = f64([3, 4])
        setGrad(w, grad)
        expect(clipGradients([w], maxNorm)).toBe(5)
        return grad.numbers()
      }
      expect(maxDifference(scaledTo(1), [0.6, 0.8])).toBeLessThan(1e-6)
      expect(scaledTo(6)).toEqual([3, 4])
      expect(scaledTo(0)).toEqual([3, 4])
    })
  })

  test('a gradient that is not finite shows in the norm', () => {
    expect(clipped([1, Number.NaN], 1)).toBeNaN()
    expect(clipped([1, Number.POSITIVE_INFINITY], 1)).toBe(Number.POSITIVE_INFINITY)
    expect(scope(() => clipGradients([requiresGrad(f64([1]))], 1))).toBe(0)
  })
})
