/** What every optimizer keeps, whatever its rule. */
import { describe, expect, test } from 'vitest'
import { ADAMW_DEFAULTS } from '../../src/optim/adamw.js'
import { createOptimizer, type OptimizerOptions } from '../../src/optim/optimizer.js'
import { f32, fromData, gradOf, memory, ops, requiresGrad, scope, setGrad } from '../../src/tensor/index.js'

const OPTIMIZERS: OptimizerOptions[] = [
  { name: 'adamw', ...ADAMW_DEFAULTS },
  { name: 'rmsprop', alpha: 0.99, epsilon: 1e-8 },
  { name: 'sgd', momentum: 0.9, weightDecay: 0.01 },
]
const START = [1, -2, 3, -4]
const GRADIENTS = [
  [0.5, -1, 2, 0.25],
  [-0.5, 1, 0.125, 1],
  [1, 1, -1, 0.5],
]

describe.each(OPTIMIZERS)('$name', (options) => {
  /** Three steps; before each of `stops` a new optimizer goes on from the state of the old one. */
  function trained(stops: readonly number[]): number[] {
    return scope(() => {
      const w = requiresGrad(f32(START, [2, 2]))
      let optimizer = createOptimizer([['w', w]], options)
      GRADIENTS.forEach((gradient, step) => {
        if (stops.includes(step)) {
          const saved = optimizer.state().map(([name, t]) => ({ name, data: t.data(), shape: t.shape }))
          optimizer.dispose()
          optimizer = createOptimizer([['w', w]], options)
          optimizer.state().forEach(([name, tensor], i) => {
            expect(name).toBe(saved[i].name)
            ops.copyInPlace(tensor, fromData(saved[i].data, saved[i].shape))
          })
        }
        setGrad(w, f32(gradient, [2, 2]))
        optimizer.step(0.1)
      })
      optimizer.dispose()
      return w.numbers()
    })
  }

  test('goes against the gradient', () => {
    scope(() => {
      const w = requiresGrad(f32(START, [2, 2]))
      const optimizer = createOptimizer([['w', w]], options)
      setGrad(w, f32(GRADIENTS[0], [2, 2]))
      optimizer.step(0.1)
      w.numbers().forEach((value, i) => {
        expect(Math.sign(START[i] - value)).toBe(Math.sign(GRADIENTS[0][i]))
      })
      optimizer.dispose()
    })
  })

  test('its state is all that it remembers: stopped at any step it goes on to the same bits', () => {
    expect(trained([1, 2])).toEqual(trained([]))
  })

  test('a parameter without a gradient stays; cleared gradients are gone; what it holds is freed', () => {
    const before = memory().tensors
    scope(() => {
      const w = requiresGrad(f32(START))
      const optimizer = createOptimizer([['w', w]], options)
      optimizer.step(0.1)
      expect(w.numbers()).toEqual(START)
      setGrad(w, f32(GRADIENTS[0]))
      optimizer.clearGradients()
      expect(gradOf(w)).toBeUndefined()
      optimizer.dispose()
    })
    expect(memory().tensors).toBe(before)
  })
})
