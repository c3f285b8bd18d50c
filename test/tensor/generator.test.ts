import { expect, test } from 'vitest'
import { Generator, ops, scope } from '../../src/tensor/index.js'

const draw = (generator: Generator) => scope(() => ops.randn([5], generator, 'f64').numbers())

test('one seed, one sequence', () => {
  const a = new Generator(7)
  const b = new Generator(7)
  const c = new Generator(8)
  const first = draw(a)
  expect(draw(b)).toEqual(first)
  expect(draw(c)).not.toEqual(first)
  expect(draw(a)).not.toEqual(first)
  for (const g of [a, b, c]) g.dispose()
})

test('a saved state goes on where it was taken, in the same and in another generator', () => {
  scope(() => {
    const a = new Generator(3)
    draw(a)
    const state = a.state()
    const expected = [draw(a), draw(a)]
    a.restore(state)
    expect([draw(a), draw(a)]).toEqual(expected)
    const b = new Generator(99)
    b.restore(state)
    expect([draw(b), draw(b)]).toEqual(expected)
    a.dispose()
    b.dispose()
  })
})

test('a state that is none, a seed that is none and a disposed generator are errors', () => {
  scope(() => {
    const a = new Generator(1)
    expect(() => a.restore(ops.zeros([10], 'u8'))).toThrow()
    expect(() => a.restore(ops.zeros(a.state().shape, 'u8'))).toThrow()
    a.dispose()
    expect(() => draw(a)).toThrow('this generator was disposed')
    for (const seed of [-1, 1.5, Number.NaN, 2 ** 60]) expect(() => new Generator(seed)).toThrow(RangeError)
  })
})
