import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { dispose, f32, keep, memory, native, ops, scope, type Tensor } from '../../src/tensor/index.js'

const live = () => native().memory().tensors

test('a scope frees what it made and lets live what it returns', () => {
  const before = live()
  let inner: Tensor | undefined
  const out = scope(() => {
    inner = f32([1, 2])
    return ops.add(inner, inner)
  })
  expect(live()).toBe(before + 1)
  expect(out.numbers()).toEqual([2, 4])
  expect(() => inner!.numbers()).toThrow('this tensor (made by allocate) was disposed')
  out.dispose()
  expect(live()).toBe(before)
})

test('returned tensors are found in arrays, maps and nested plain objects', () => {
  const before = live()
  const out = scope(() => ({
    list: [f32([1]), f32([2])],
    map: new Map([['a', f32([3])]]),
    nested: { deep: [f32([4])] },
    count: 5,
  }))
  expect(live()).toBe(before + 4)
  expect(out.nested.deep[0].item() + out.map.get('a')!.item() + out.list[1].item()).toBe(9)
  dispose(...out.list, out.map.get('a'), out.nested.deep[0])
  expect(live()).toBe(before)
})

test('a value that holds itself ends', () => {
  const out = scope(() => {
    const value: { self?: unknown; tensor: Tensor } = { tensor: f32([1]) }
    value.self = value
    return value
  })
  expect(out.tensor.item()).toBe(1)
  out.tensor.dispose()
})

test('nested scopes: a tensor moves out one scope at a time', () => {
  const before = live()
  scope(() => {
    const middle = scope(() => {
      const inner = scope(() => f32([1]))
      expect(live()).toBe(before + 1)
      return ops.neg(inner)
    })
    expect(live()).toBe(before + 1)
    expect(middle.item()).toBe(-1)
  })
  expect(live()).toBe(before)
})

test('a tensor of the outer scope survives an inner scope that returns it', () => {
  scope(() => {
    const outer = f32([7])
    const same = scope(() => outer)
    expect(same).toBe(outer)
    expect(outer.item()).toBe(7)
  })
})

test('a throw frees everything and leaves the outer scope in force', () => {
  const before = live()
  scope(() => {
    expect(() =>
      scope(() => {
        f32([1])
        scope(() => f32([2]))
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(live()).toBe(before)
    f32([3])
    expect(live()).toBe(before + 1)
  })
  expect(live()).toBe(before)
})

test('a function that returns a Promise is refused, and its tensors are freed', () => {
  const before = live()
  expect(() => scope(async () => f32([1]))).toThrow(TypeError)
  expect(live()).toBe(before)
})

test('keep takes a tensor out of all scopes until it is disposed', () => {
  const before = live()
  let kept: Tensor | undefined
  scope(() =>
    scope(() => {
      kept = keep(f32([1, 2, 3]))
      keep(kept)
    }),
  )
  expect(kept!.numbers()).toEqual([1, 2, 3])
  expect(live()).toBe(before + 1)
  kept!.dispose()
  kept!.dispose()
  expect(live()).toBe(before)
})

test('a kept tensor that a scope returns is not freed by the outer scope', () => {
  const kept = scope(() => scope(() => keep(f32([4]))))
  expect(kept.item()).toBe(4)
  kept.dispose()
})

test('using a disposed tensor names the operator that made it', () => {
  const sum = scope(() => ops.mul(f32([1]), f32([2])))
  sum.dispose()
  expect(() => ops.neg(sum)).toThrow('this tensor (made by mul) was disposed')
  expect(() => sum.shape).toThrow('made by mul')
})

test('counters are flat over a thousand scopes, also with views and lists of tensors', () => {
  const once = () =>
    scope(() => {
      const x = f32([1, 2, 3, 4, 5, 6], [2, 3])
      const parts = ops.split(x, [1, 2], 1)
      const [values] = ops.sort(ops.transpose(x, 0, 1), true)
      return ops.add(ops.sum(values), ops.sum(ops.cat(parts, 1))).item()
    })
  expect(once()).toBe(42)
  const before = native().memory()
  for (let i = 0; i < 1000; i++) once()
  const after = native().memory()
  expect(after.tensors).toBe(before.tensors)
  expect(after.bytes).toBe(before.bytes)
})

test('one scope can hold more tensors than a call takes arguments', () => {
  const before = live()
  scope(() => {
    const x = f32([1])
    for (let i = 0; i < 200_000; i++) ops.detach(x)
  })
  expect(live()).toBe(before)
})

test('a tensor that nobody disposed is freed by the collector and counted as leaked', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const before = memory()
  ;(() => {
    ops.neg(f32([1, 2, 3])) // outside of any scope, dropped: two leaks
  })()
  for (let i = 0; i < 50 && memory().leaked < before.leaked + 2; i++) {
    collect()
    await sleep(5)
  }
  const after = memory()
  expect(after.leaked).toBe(before.leaked + 2)
  expect(after.leaks.slice(before.leaks.length).sort()).toEqual(['allocate', 'neg'])
  expect(after.tensors).toBe(before.tensors)
})
