import { expect, test } from 'vitest'
import {
  backward,
  f64,
  gradients,
  gradOf,
  i64,
  native,
  noGrad,
  ops,
  requiresGrad,
  scope,
  setGrad,
  withGrad,
} from '../../src/tensor/index.js'

const recording = () => {
  const before = native().setGradEnabled(true)
  native().setGradEnabled(before)
  return before
}

test('backward adds to the gradient of each leaf', () => {
  scope(() => {
    const x = requiresGrad(f64([2, -3]))
    backward(ops.sum(ops.square(x)))
    expect(gradOf(x)!.numbers()).toEqual([4, -6])
    backward(ops.sum(x))
    expect(gradOf(x)!.numbers()).toEqual([5, -5])
    setGrad(x)
    expect(gradOf(x)).toBeUndefined()
  })
})

test('backward of more than a scalar takes a seed', () => {
  scope(() => {
    const x = requiresGrad(f64([1, 2]))
    expect(() => backward(ops.square(x))).toThrow()
    backward(ops.square(x), f64([10, 100]))
    expect(gradOf(x)!.numbers()).toEqual([20, 400])
  })
})

test('gradients of a list: undefined where nothing depends on the input, leaves untouched', () => {
  scope(() => {
    const x = requiresGrad(f64([3]))
    const y = requiresGrad(f64([5]))
    const [dx, dy] = gradients([ops.sum(ops.exp(x))], [x, y])
    expect(dx!.item()).toBeCloseTo(Math.exp(3), 12)
    expect(dy).toBeUndefined()
    expect(gradOf(x)).toBeUndefined()
  })
})

test('a graph is walked once', () => {
  scope(() => {
    const x = requiresGrad(f64([3]))
    const y = ops.sum(ops.exp(x))
    backward(y)
    expect(() => backward(y)).toThrow(/second time/)
  })
})

test('noGrad and withGrad nest and come back, also after a throw', () => {
  expect(recording()).toBe(true)
  noGrad(() => {
    expect(recording()).toBe(false)
    withGrad(() => expect(recording()).toBe(true))
    expect(recording()).toBe(false)
    expect(() =>
      withGrad(() => {
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(recording()).toBe(false)
  })
  expect(() =>
    noGrad(() => {
      throw new Error('inside')
    }),
  ).toThrow('inside')
  expect(recording()).toBe(true)
})

test('nothing is recorded inside noGrad', () => {
  scope(() => {
    const x = requiresGrad(f64([3]))
    const y = noGrad(() => ops.square(x))
    expect(native().requiresGrad(y.handle)).toBe(false)
    expect(() => backward(ops.sum(y))).toThrow()
  })
})

test('a gradient of another shape or dtype is refused', () => {
  scope(() => {
    const x = requiresGrad(f64([1, 2]))
    expect(() => setGrad(x, f64([1]))).toThrow('setGrad')
    expect(() => setGrad(x, i64([1, 2]))).toThrow('setGrad')
    expect(() => requiresGrad(i64([1]))).toThrow()
    setGrad(x, f64([5, 6]))
    expect(gradOf(x)!.numbers()).toEqual([5, 6])
  })
})

test('the graph keeps what it needs after its tensors are disposed', () => {
  const before = native().memory().tensors
  scope(() => {
    const x = requiresGrad(f64([2]))
    const y = scope(() => ops.sum(ops.mul(ops.square(x), ops.exp(x))))
    backward(y)
    expect(gradOf(x)!.item()).toBeCloseTo((4 + 4) * Math.exp(2), 10)
  })
  expect(native().memory().tensors).toBe(before)
})
