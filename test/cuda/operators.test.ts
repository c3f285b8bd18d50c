/** Own operators on a GPU against the kernels of the CPU: values and gradients from the same inputs. */
import { afterEach, expect, test } from 'vitest'
import { createRandom } from '../../src/random.js'
import {
  currentDevice,
  type DType,
  i64,
  noGrad,
  onDevice,
  ops,
  scope,
  type Tensor,
  useDevice,
} from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'
import { normal, type Random, relative, valueAndGradients } from '../helpers/numbers.js'
import { largest } from '../native/attention-difference.js'
import { layoutOf, randomLists, tableOf } from '../native/layouts.js'

const GPU = currentDevice()
afterEach(() => useDevice(GPU))

type Case = (random: Random, dtype: DType) => { inputs: Tensor[]; run: (inputs: Tensor[]) => Tensor }

/** Largest relative difference of value and gradients; inputs are rounded to `dtype` on both devices, products only on the GPU. */
function difference(name: string, make: Case, dtype: DType): number {
  const wide = dtype === 'bf16' ? 'f32' : dtype
  const on = (device: string, type: DType) =>
    scope(() => {
      useDevice(device)
      const random = createRandom(name)
      const { inputs, run } = make(random, wide)
      const rounded = inputs.map((t) => ops.to(ops.to(t, dtype), wide))
      return valueAndGradients(rounded, (own) => {
        const out = run(own.map((t) => (type === wide ? t : ops.to(t, type))))
        expect(out.device).toBe(device)
        return ops.mul(ops.to(out, wide), normal(random, out.shape, wide))
      })
    })
  return largest(on(GPU, dtype), on('cpu', wide))
}

const targets = (random: Random, rows: number, most: number) =>
  i64(Array.from({ length: rows }, () => random.int(most)))

function attentionCase(window?: number, softcap?: number): Case {
  return (random, dtype) => {
    const { segments, rows } = layoutOf(randomLists(random, 40))
    const table = tableOf(segments)
    return {
      inputs: [4, 2, 2].map((heads) => normal(random, [rows, heads, 64], dtype)),
      run: ([q, k, v]) => ops.packedAttention(q, k, v, table, 0.125, window, softcap),
    }
  }
}

const draw = (random: Random, dtype: DType, ...shapes: number[][]) =>
  shapes.map((shape) => normal(random, shape, dtype))

const CASES: Record<string, Case> = {
  'RMSNorm with a weight': (r, d) => ({
    inputs: draw(r, d, [37, 96], [96]),
    run: ([x, w]) => ops.rmsNorm(x, w, 1e-6),
  }),
  'RMSNorm with an offset': (r, d) => ({
    inputs: draw(r, d, [37, 96], [96]),
    run: ([x, w]) => ops.rmsNorm(x, w, 1e-6, 1),
  }),
  'RMSNorm of heads': (r, d) => ({
    inputs: draw(r, d, [9, 4, 64], [64]),
    run: ([x, w]) => ops.rmsNorm(x, w, 1e-6),
  }),
  swiglu: (r, d) => ({ inputs: draw(r, d, [37, 96], [37, 96]), run: ([a, b]) => ops.swiglu(a, b) }),
  geglu: (r, d) => ({ inputs: draw(r, d, [37, 96], [37, 96]), run: ([a, b]) => ops.geglu(a, b) }),
  'swiglu of halves of one projection': (r, d) => ({
    inputs: draw(r, d, [37, 192]),
    run: ([both]) => {
      const [a, b] = ops.split(both, [96, 96], 1)
      return ops.swiglu(a, b)
    },
  }),
  rotary: (r, d) => {
    const angle = normal(r, [13, 16], d)
    return {
      inputs: draw(r, d, [13, 4, 64]),
      run: ([x]) => ops.rotary(x, ops.tanh(angle), ops.mulScalar(angle, 0.5)),
    }
  },
  embedding: (r, d) => {
    const ids = targets(r, 50, 7)
    return { inputs: draw(r, d, [7, 32]), run: ([w]) => ops.embedding(w, ids) }
  },
  'linear with a bias': (r, d) => ({
    inputs: draw(r, d, [37, 96], [64, 96], [64]),
    run: ([x, w, b]) => ops.linear(x, w, b),
  }),
  'log-probabilities': (r, d) => {
    const ids = targets(r, 19, 301)
    return {
      inputs: draw(r, d, [19, 64], [301, 64]),
      run: ([h, w]) => ops.linearLogProb(h, w, ids, 0, null, 0)[0],
    }
  },
  'log-probabilities with a bias and a soft cap': (r, d) => {
    const ids = targets(r, 19, 301)
    return {
      inputs: draw(r, d, [19, 64], [301, 64], [301]),
      run: ([h, w, b]) => ops.linearLogProb(h, w, ids, 0, b, 20)[0],
    }
  },
  attention: attentionCase(),
  'attention in a window': attentionCase(9),
  'attention with a soft cap': attentionCase(undefined, 5),
}

const LIMITS: [DType, number][] = [
  ['f64', 1e-10],
  ['f32', 2e-5],
  // Eight bits of mantissa in inputs, products and sums over some hundred terms.
  ['bf16', 3e-2],
]

test.each(Object.keys(CASES))(
  '%s: value and gradients are those of the CPU, in f64, f32 and bf16',
  (name) => {
    for (const [dtype, limit] of LIMITS)
      expect(difference(name, CASES[name], dtype), dtype).toBeLessThan(limit)
  },
)

test('an RMSNorm that is rounded to bf16 is one of f32, rounded once', () => {
  const rounded: Case = (r, d) => ({
    inputs: draw(r, d, [37, 96], [96]),
    run: ([x, w]) => {
      const y = ops.rmsNorm(x, w, 1e-6, 0, 'bf16')
      expect(y.dtype).toBe('bf16')
      return y
    },
  })
  expect(difference('rounded', rounded, 'f32')).toBeLessThan(1e-2)
})

test('wide rows, rows that lie apart, and heads of which a part is rotated, in f32 and bf16', () => {
  const wide: Case = (r, d) => ({
    inputs: draw(r, d, [5, 4100], [2048]),
    run: ([x, w]) => ops.rmsNorm(ops.narrow(x, 1, 4, 2048), w, 1e-6),
  })
  const part: Case = (r, d) => {
    const angle = normal(r, [13, 8], d)
    return {
      inputs: draw(r, d, [13, 6, 40]),
      run: ([x]) => ops.rotary(ops.narrow(x, 1, 1, 4), ops.tanh(angle), ops.mulScalar(angle, 0.5)),
    }
  }
  const odd: Case = (r, d) => ({
    inputs: draw(r, d, [5, 33], [33]),
    run: ([x, w]) => ops.rmsNorm(x, w, 1e-6),
  })
  for (const [dtype, limit] of LIMITS)
    for (const make of [wide, part, odd]) expect(difference('layout', make, dtype), dtype).toBeLessThan(limit)
})

test('log-probabilities in several chunks are those in one', () => {
  const chunks: Case = (r, d) => {
    const ids = targets(r, 19, 301)
    return {
      inputs: draw(r, d, [19, 64], [301, 64]),
      run: ([h, w]) =>
        h.device === 'cpu'
          ? ops.linearLogProb(h, w, ids, 0, null, 0)[0]
          : ops.linearLogProbChunked(h, w, ids, 1500)[0],
    }
  }
  for (const [dtype, limit] of LIMITS) expect(difference('chunks', chunks, dtype), dtype).toBeLessThan(limit)
})

test('one row, two and three without a gradient, as in decoding, are products as any other', () => {
  const on = (device: string, rows: number, dtype: DType) =>
    noGrad(() =>
      scope(() => {
        useDevice(device)
        const random = createRandom('few')
        const [x, w] = [normal(random, [rows, 96], 'f32'), normal(random, [70, 96], 'f32')].map((t) =>
          ops.to(ops.to(t, dtype), device === 'cpu' ? 'f32' : dtype),
        )
        return ops.to(ops.linear(x, w), 'f32').numbers()
      }),
    )
  for (const rows of [1, 2, 3])
    for (const [dtype, limit] of LIMITS.slice(1))
      expect(relative(on(GPU, rows, dtype), on('cpu', rows, dtype)), `${rows} ${dtype}`).toBeLessThan(limit)
})

test('mixed precision: products in bf16, gradients of f32 weights in f32', () => {
  const mixed: Case = (r) => ({
    inputs: draw(r, 'f32', [37, 96], [64, 96]),
    run: ([x, w]) => ops.linear(ops.to(x, 'bf16'), w),
  })
  expect(difference('mixed', mixed, 'f32')).toBeLessThan(3e-2)
})

test.each([8, 4])('weights in %i bits: the product and its gradient are those of the CPU', (bits) => {
  const quantized =
    (width: number): Case =>
    (r, d) => {
      const wide = onDevice(normal(r, [64, width], 'f32'), 'cpu')
      const [weight, scale] = (bits === 8 ? ops.quantizeInt8(wide) : ops.quantizeNf4(wide)).map((t) =>
        onDevice(t),
      )
      return { inputs: draw(r, d, [37, width]), run: ([x]) => ops.linearQuantized(x, weight, scale) }
    }
  for (const width of [128, 98]) {
    expect(difference('quantized', quantized(width), 'f32')).toBeLessThan(1e-5)
    expect(difference('quantized', quantized(width), 'bf16')).toBeLessThan(3e-2)
  }
})

test('heads of 64 with shared contexts, as models have them: attention and its gradients come out the same twice', () => {
  const twice = (dtype: DType) =>
    scope(() => {
      const random = createRandom('heads')
      const { segments, rows } = layoutOf([
        [200, 100, 90, 7],
        [1, 1],
        [300, 0, 250],
      ])
      const table = tableOf(segments)
      const inputs = [8, 2, 2].map((heads) => normal(random, [rows, heads, 64], 'f32'))
      const weights = normal(random, [rows, 8, 64], 'f32')
      const run = () =>
        valueAndGradients(
          inputs,
          (own) => {
            const [q, k, v] = own.map((t) => ops.to(t, dtype))
            return ops.to(ops.packedAttention(q, k, v, table, 0.125), 'f32')
          },
          () => weights,
        )
      return [run(), run()]
    })
  for (const dtype of ['f32', 'bf16'] as const) {
    const [a, b] = twice(dtype)
    expect(a).toEqual(b)
  }
})

test('dropout drops the same elements on every device, forward and backward', () => {
  const drop: Case = (r) => ({ inputs: draw(r, 'f32', [37, 96]), run: ([x]) => ops.dropout(x, 0.3, 11) })
  expect(difference('dropout', drop, 'f32')).toBe(0)
})

test('dropout of half precision drops the same elements too', () => {
  const drop: Case = (r, d) => ({ inputs: draw(r, d, [37, 96]), run: ([x]) => ops.dropout(x, 0.3, 11) })
  expect(difference('dropout', drop, 'bf16')).toBeLessThan(1e-2)
})

test('fused AdamW makes the update of the CPU', () => {
  const after = (device: string) =>
    scope(() => {
      useDevice(device)
      const random = createRandom('adamw')
      const [p, m, v] = [normal(random, [65], 'f32'), ops.zeros([65]), ops.zeros([65])]
      const n = ops.zeros([])
      for (let i = 0; i < 5; i++) {
        ops.foreachAddInPlace([n], 1)
        ops.fusedAdamW(
          [p],
          [normal(random, [65], 'f32')],
          [m],
          [v],
          [],
          [n],
          0.01,
          0.9,
          0.99,
          0.1,
          1e-8,
          false,
          false,
        )
      }
      return [p, m, v].flatMap((t) => t.numbers())
    })
  const [found, expected] = [after(GPU), after('cpu')]
  expect(maxDifference(found, expected)).toBeLessThan(1e-5)
})
