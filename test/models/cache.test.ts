import { expect, test } from 'vitest'
import { createCache, decode } from '../../src/models/decoder/decoder.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { packedStream, singleSequence } from '../../src/nn/layout.js'
import { createRandom } from '../../src/random.js'
import { native, noGrad, ops, scope } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { relative } from '../helpers/numbers.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i)

test('decoding step by step from a cache equals the full forward: several rows that share a prompt', () => {
  const before = native().memory().tensors
  const model = loadModel(fixture('models/llama_gqa'), 'f64')
  const random = createRandom('cache')
  const ids = (n: number) => Array.from({ length: n }, () => random.int(128))
  const prompt = ids(6)
  const answers = [ids(9), ids(5), ids(9)]
  const room = 10
  const cache = createCache(model, prompt.length + answers.length * room)
  const start = (row: number) => prompt.length + row * room
  noGrad(() =>
    scope(() => {
      const n = prompt.length
      const first = decode(
        model,
        packedStream(
          prompt,
          range(0, n),
          [{ q0: 0, q1: n, c0: 0, c1: 0, k0: 0, k1: n, task: 0 }],
          range(0, n),
        ),
        cache,
      )
      const found = answers.map(() => [] as number[])
      // three tokens of each answer at once, then one by one; row 1 ends early
      let done = 0
      for (const step of [3, 1, 1, 1, 1, 1, 1]) {
        const rows = range(0, answers.length).filter((r) => answers[r].length >= done + step)
        const stream = packedStream(
          rows.flatMap((r) => answers[r].slice(done, done + step)),
          rows.flatMap(() => range(n + done, n + done + step)),
          rows.map((r, i) => ({
            q0: i * step,
            q1: (i + 1) * step,
            c0: 0,
            c1: n,
            k0: start(r),
            k1: start(r) + done + step,
            task: i,
          })),
          rows.flatMap((r) => range(start(r) + done, start(r) + done + step)),
        )
        const hidden = scope(() => decode(model, stream, cache))
        rows.forEach((r, i) => {
          found[r].push(...ops.narrow(hidden, 0, i * step, step).numbers())
        })
        done += step
      }
      answers.forEach((answer, r) => {
        const full = decode(model, singleSequence([...prompt, ...answer]))
        expect(relative([...first.numbers(), ...found[r]], full.numbers())).toBeLessThan(1e-12)
      })
    }),
  )
  cache.dispose()
  model.dispose()
  expect(native().memory().tensors).toBe(before)
})
