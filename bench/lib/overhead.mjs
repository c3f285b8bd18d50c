// What JavaScript costs: a call of an operator, and the part of a training step outside the addon.
import { product } from './product.mjs'

const CALLS = 100000
const GROUP = 1000

/**
 * Microseconds of one operator call from TypeScript, its result freed, on tensors of one element. The best of many groups:
 * whatever disturbs a group only makes it slower.
 */
export async function measureCalls() {
  const { f32, noGrad, ops, scope } = await product('tensor/index')
  return noGrad(() =>
    scope(() => {
      const x = f32([1])
      const group = () =>
        scope(() => {
          for (let i = 0; i < GROUP; i++) ops.add(x, x)
        })
      let best = Number.POSITIVE_INFINITY
      for (let i = 0; i < CALLS / GROUP; i++) {
        const start = performance.now()
        group()
        best = Math.min(best, performance.now() - start)
      }
      return { value: (best * 1000) / GROUP }
    }),
  )
}

/** Share of a step's time outside the addon, in percent; the clock that finds it out is counted against us. */
export async function measureStepOverhead(run) {
  const { native } = await product('tensor/index')
  const addon = native()
  const own = Object.entries(addon).filter(([, member]) => typeof member === 'function')
  let inside = 0
  let count = 0
  for (const [name, member] of own) {
    addon[name] = (...args) => {
      const start = performance.now()
      try {
        return member(...args)
      } finally {
        inside += performance.now() - start
        count += 1
      }
    }
  }
  const start = performance.now()
  run()
  const whole = performance.now() - start
  for (const [name, member] of own) addon[name] = member
  return { value: (100 * (whole - inside)) / whole, calls: count }
}
