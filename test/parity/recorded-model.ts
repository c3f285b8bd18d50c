/** A recorded model: inputs without padding, expected tensors, and its folder in either spelling of config.json. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { native, scope } from '../../src/tensor/index.js'
import { fixture, readJson, readTensors } from '../fixtures.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

export interface Case {
  lengths: number[]
  response_start: number[]
  max_abs_diff_native_f64?: number
}

export interface Recorded extends Case {
  folder: string
  /** Row i of the batch without its padding. */
  rows: number[][]
  /** Rows of the first dimension of a tensor; empty when the file has none of that name. */
  expected(tensor: string): number[][]
  has(tensor: string): boolean
}

export function recordedModel(name: string): Recorded {
  const tensors = scope(
    () =>
      new Map(
        Array.from(readTensors(`models/${name}/expected.safetensors`), ([key, t]) => {
          const values = t.numbers()
          const width = values.length / t.shape[0]
          return [
            key,
            Array.from({ length: t.shape[0] }, (_, i) => values.slice(i * width, (i + 1) * width)),
          ] as const
        }),
      ),
  )
  const expected = (tensor: string) => tensors.get(tensor) ?? []
  const mask = expected('attention_mask')
  return {
    ...readJson<Case>(`models/${name}/case.json`),
    folder: fixture(`models/${name}`),
    rows: expected('input_ids').map((ids, i) => ids.filter((_, t) => mask[i][t] === 1)),
    expected,
    has: (tensor) => tensors.has(tensor),
  }
}

/** A copy of the folder with its config in the keys of older checkpoints; undefined where none is recorded. */
export function legacyFolder({ folder }: Recorded): string | undefined {
  if (!existsSync(join(folder, 'config.legacy.json'))) return undefined
  const copy = mkdtempSync(join(tmpdir(), 'clha-test-'))
  for (const file of readdirSync(folder))
    if (file.startsWith('model')) copyFileSync(join(folder, file), join(copy, file))
  copyFileSync(join(folder, 'config.legacy.json'), join(copy, 'config.json'))
  return copy
}
