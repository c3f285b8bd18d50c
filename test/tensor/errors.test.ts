import { describe, expect, test } from 'vitest'
import {
  allocate,
  f32,
  f64,
  type Generator,
  i64,
  native,
  ops,
  scope,
  type Tensor,
} from '../../src/tensor/index.js'

/** A call with arguments that the types forbid. */
const wrong = <T>(value: unknown) => value as T
const caught = (fn: () => unknown): Error => {
  try {
    scope(fn)
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('errors of libtorch are errors of JavaScript', () => {
  test('a wrong kind names the operator and the argument', () => {
    expect(caught(() => ops.narrow(f32([1]), 0, wrong('x'), 1)).message).toBe(
      'aten::narrow: argument "start": expected an integer',
    )
    expect(caught(() => ops.narrow(f32([1]), 0, 0.5, 1)).message).toContain('argument "start"')
    expect(caught(() => ops.add(wrong(undefined), f32([1]))).message).toBe(
      'aten::add: argument "self": expected a tensor',
    )
    expect(caught(() => ops.cat(wrong(3))).message).toContain('argument "tensors": expected an array')
    expect(caught(() => ops.zeros([Number.NaN])).message).toContain('argument "size": expected an integer')
    expect(caught(() => ops.sort(f32([1]), wrong(1))).message).toContain(
      'argument "stable": expected a boolean',
    )
    expect(caught(() => ops.zeros([1], 'f32', 0, wrong(5))).message).toContain('argument "device"')
    expect(caught(() => ops.zeros([1], 'f32', 0, 'nowhere')).message).toContain(
      'aten::zeros: argument "device"',
    )
  })

  test('a dtype, layout or memory format that does not exist is refused', () => {
    expect(
      caught(() => native().call(native().findOperator('aten::zeros', ''), [[2], 99])).message,
    ).toContain('argument "dtype": expected a dtype')
    expect(caught(() => ops.zeros([1], 'f32', 77)).message).toContain('argument "layout"')
    expect(caught(() => ops.contiguous(f32([1]), 44)).message).toContain('argument "memory_format"')
  })

  test('shapes that do not fit name the operator', () => {
    expect(caught(() => ops.mm(f32([1, 2], [1, 2]), f32([1, 2], [1, 2]))).message).toMatch(
      /^aten::mm: .*shapes/,
    )
    expect(caught(() => ops.view(f32([1, 2]), [3])).message).toMatch(/^aten::view: /)
    expect(caught(() => ops.indexSelect(f32([1]), 0, i64([4]))).message).toMatch(/^aten::index_select: /)
    expect(caught(() => ops.add(f32([1, 2]), f32([1, 2, 3]))).message).toMatch(/^aten::add: /)
  })

  test('handles that are none', () => {
    for (const handle of [0, 1, -1, 0.5, 2 ** 24, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => native().shapeOf(handle)).toThrow('not a live tensor')
      expect(native().releaseMany([handle])).toBe(0)
    }
    const x = f32([1])
    const { handle } = x
    x.dispose()
    const next = f32([2]) // takes the free slot: the old number still means nothing
    expect(() => native().itemOf(handle)).toThrow('not a live tensor')
    next.dispose()
    expect(() => ops.randn([1], wrong<Generator>({ handle: 5 }))).toThrow(
      'argument "generator": not a live generator',
    )
    expect(() => native().shapeOf(wrong('1'))).toThrow('expected a tensor')
    expect(() => native().releaseMany(wrong(1))).toThrow('an array of tensors')
  })

  test('sizes that are none, and sizes that nothing holds, are RangeErrors', () => {
    for (const size of [Number.NaN, -1, 0.5, 1e300, 2 ** 53, 2 ** 50, Number.POSITIVE_INFINITY]) {
      expect(caught(() => allocate([size]))).toBeInstanceOf(RangeError)
    }
    expect(caught(() => allocate([2 ** 32, 2 ** 32]))).toBeInstanceOf(RangeError)
    expect(caught(() => ops.zeros([2 ** 46])).message).toContain('out of memory')
    expect(caught(() => ops.zeros([2 ** 46]))).toBeInstanceOf(RangeError)
    expect(caught(() => ops.zeros([2 ** 40, 2 ** 40]))).toBeInstanceOf(RangeError)
    expect(caught(() => ops.contiguous(ops.expand(f32([1]), [2 ** 46])))).toBeInstanceOf(RangeError)
    expect(caught(() => allocate(wrong(3)))).toBeInstanceOf(Error)
  })

  test('operators and overloads that do not exist', () => {
    expect(() => native().findOperator('aten::nothing', '')).toThrow('libtorch has no operator aten::nothing')
    expect(() => native().findOperator('aten::add', 'Nothing')).toThrow('aten::add.Nothing')
    expect(() => native().call(1e6, [])).toThrow('findOperator')
    const neg = native().findOperator('aten::neg', '')
    expect(() => native().call(neg, wrong('x'))).toThrow('array of arguments')
    expect(() => native().call(neg, [1, 2, 3])).toThrow('takes 1 arguments')
  })

  test('a failed call holds no tensor', () => {
    const before = native().memory().tensors
    for (let i = 0; i < 100; i++) caught(() => ops.stack([f32([1]), f32([1, 2])]))
    expect(native().memory().tensors).toBe(before)
  })

  test('unlock closes nothing but locks', () => {
    expect(() => native().unlock(0)).toThrow('not a lock')
  })
})

describe('own kernels check what they are given', () => {
  const q = () => f64(new Array(24).fill(0.5), [3, 2, 4])
  const table = (...rows: number[][]): Tensor => i64(rows.flat(), [rows.length, 7])

  test('packedAttention: layouts that reach outside, overlap, leave rows out or have another form', () => {
    const run = (segments: Tensor) => caught(() => ops.packedAttention(q(), q(), q(), segments, 1)).message
    expect(scope(() => run(table([0, 4, 0, 0, 0, 4, 0])))).toContain('segment 0 reaches outside')
    expect(scope(() => run(table([0, 3, 0, 9, 0, 3, 0])))).toContain('segment 0 reaches outside')
    expect(scope(() => run(table([0, 3, 0, 0, 1, 3, 0])))).toContain('segment 0 reaches outside')
    expect(scope(() => run(table([-1, 3, 0, 0, 0, 3, 0])))).toContain('segment 0 reaches outside')
    expect(scope(() => run(table([0, 2, 0, 0, 0, 2, 0])))).toContain('cover 2 of 3')
    expect(scope(() => run(table([0, 2, 0, 0, 0, 2, 0], [1, 3, 0, 0, 1, 3, 1])))).toContain('in order')
    expect(scope(() => run(i64([0, 3], [1, 2])))).toContain('[n, 7]')
    expect(scope(() => run(f64([0, 3, 0, 0, 0, 3, 0], [1, 7])))).toContain('i64')
  })

  test('packedAttention: heads and shapes', () => {
    const message = (a: Tensor, b: Tensor) =>
      caught(() => ops.packedAttention(a, b, b, table([0, 3, 0, 0, 0, 3, 0]), 1)).message
    scope(() => {
      expect(message(q(), f64(new Array(36).fill(0), [3, 3, 4]))).toContain('multiple of key-value heads')
      expect(message(q(), f64(new Array(12).fill(0), [3, 2, 2]))).toContain('found [3, 2, 4]')
      expect(message(q(), f32(new Array(24).fill(0), [3, 2, 4]))).toContain('differ in dtype')
      expect(message(allocate([3, 2, 0]), allocate([3, 2, 0]))).toContain('no dimensions')
    })
  })

  test('linearLogProb: a target outside of the vocabulary, and shapes', () => {
    scope(() => {
      const hidden = f32([1, 2, 3, 4], [2, 2])
      const head = f32([1, 0, 0, 1, 1, 1], [3, 2])
      expect(() => ops.linearLogProb(hidden, head, i64([0, 3]))).toThrow('outside of the vocabulary of 3')
      expect(() => ops.linearLogProb(hidden, head, i64([0, -1]))).toThrow('outside of the vocabulary of 3')
      expect(() => ops.linearLogProb(hidden, head, i64([0]))).toThrow('targets [R] i64')
      expect(() => ops.linearLogProb(hidden, head, f32([0, 1]))).toThrow('targets [R] i64')
    })
  })

  test('rotary and fusedAdamW: shapes', () => {
    scope(() => {
      expect(() => ops.rotary(q(), f64([1, 1], [1, 2]), f64([1, 1], [1, 2]))).toThrow('rotary: x [T, H, d]')
      const p = f32([1, 2])
      const z = () => [f32([0, 0])]
      const step = [f32([1], [])]
      const update = (grads: Tensor[], means: Tensor[], steps = step) =>
        ops.fusedAdamW([p], grads, means, z(), [], steps, 0.1, 0.9, 0.999, 0, 1e-8, false, false)
      expect(() => update([f32([1])], z())).toThrow('gradients 0 is Float [1], its parameter Float [2]')
      expect(() => update([f64([1, 1])], z())).toThrow('gradients 0 is Double')
      expect(() => update(z(), [])).toThrow('0 exp_avgs for 1 parameters')
      expect(() => update(z(), z(), [])).toThrow('0 steps')
      expect(() => update(z(), z(), [f64([1], [])])).toThrow('a step count must be one f32')
      expect(p.numbers()).toEqual([1, 2])
    })
  })
})
