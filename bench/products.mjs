// Rates of matrix products in float32 by whoever can multiply them, for the linear maps of the models S and M.
//   node bench/products.mjs [tokens] [threads]     CLHA_CPU_LEVEL=avx2 for a processor without AVX-512
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { performance } from 'node:perf_hooks'
import { SHAPES } from './lib/models.mjs'

const native = createRequire(import.meta.url)('../build/clha.node')
const [tokens = 1024, threads = native.engine().threads] = process.argv.slice(2).map(Number)
native.setThreads(threads)
native.setGradEnabled(false)

const F32 = 6
const VOCABULARY = 49152
const SECONDS = 0.15
const ROUNDS = 5

const operators = new Map()
function call(name, ...args) {
  if (!operators.has(name)) operators.set(name, native.findOperator(...`${name}.`.split('.', 2)))
  return native.call(operators.get(name), args)
}

function random(rows, columns) {
  const tensor = native.allocate([rows, columns], F32)
  call('aten::uniform_', tensor, -1, 1, null)
  return tensor
}

/** The three products of a linear map, x [T, in] and w [out, in], by each library: functions that return a new tensor or write one. */
function contenders(inputs, outputs) {
  const [x, w, dy] = [random(tokens, inputs), random(outputs, inputs), random(tokens, outputs)]
  const [wt, dyt, xt] = [w, dy, x].map((t) => call('aten::t', t))
  const [y, dx, dw] = [random(tokens, outputs), random(tokens, inputs), random(outputs, inputs)]
  const oneDnn = (a, b) => native.releaseMany([call('mkldnn::_linear_pointwise', a, b, null, 'none', [], '')])
  return {
    forward: { mm: () => call('aten::mm.out', x, wt, y), 'linear_pointwise': () => oneDnn(x, w), clha: () => native.releaseMany([call('clha::linear', x, w, null)]) },
    dx: { mm: () => call('aten::mm.out', dy, w, dx), 'linear_pointwise': () => oneDnn(dy, wt) },
    dw: { mm: () => call('aten::mm.out', dyt, x, dw), 'linear_pointwise': () => oneDnn(dyt, xt) },
  }
}

/** Seconds of one call, the least of some rounds. */
function secondsOf(f) {
  f()
  f()
  const start = performance.now()
  f()
  const times = Math.max(1, Math.ceil((SECONDS * 1000) / Math.max(0.001, performance.now() - start) / ROUNDS))
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const begin = performance.now()
    for (let i = 0; i < times; i++) f()
    least = Math.min(least, (performance.now() - begin) / 1000 / times)
  }
  return least
}

const maps = ['S', 'M'].flatMap((size) => {
  const { hidden_size: d, intermediate_size: f } = SHAPES[size]
  return [[size, d, d], [size, d, f], [size, f, d], [size, d, VOCABULARY]]
})
const { cpuLevel, libtorch } = native.engine()
console.log(`${cpus()[0]?.model}, level ${cpuLevel}, libtorch ${libtorch}, ${threads} threads, ${tokens} tokens; GFLOP/s`)
for (const [size, inputs, outputs] of maps) {
  for (const [product, by] of Object.entries(contenders(inputs, outputs))) {
    const rates = Object.entries(by).map(([name, f]) => {
      try {
        return `${name} ${((2 * tokens * inputs * outputs) / secondsOf(f) / 1e9).toFixed(0)}`
      } catch (error) {
        return `${name} – (${error.message.split('\n')[0].slice(0, 90)})`
      }
    })
    console.log(`${size} ${inputs} -> ${outputs} ${product}: ${rates.join(', ')}`)
  }
}
