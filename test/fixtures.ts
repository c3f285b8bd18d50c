/** Recorded numbers of the Python libraries: where they lie and how they are read. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { openSafetensors } from '../src/checkpoint/format/safetensors.js'
import { allocate, type DType, dtypeOfSafetensors, type Tensor } from '../src/tensor/index.js'

/** The tree of fixtures; `CLHA_FIXTURES` names another in the same layout. */
export const FIXTURES = process.env.CLHA_FIXTURES ?? fileURLToPath(new URL('./fixtures', import.meta.url))

export const fixture = (path: string) => `${FIXTURES}/${path}`

export function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(fixture(path), 'utf8')) as T
}

/** All tensors of a safetensors file, owned by the scope that calls. */
export function readTensors(path: string): Map<string, Tensor> {
  const file = openSafetensors(fixture(path))
  const out = new Map<string, Tensor>()
  for (const [name, entry] of file.entries) {
    const tensor = allocate([...entry.shape], dtypeOfSafetensors(entry.dtype) as DType)
    file.readInto(name, tensor.bytes())
    out.set(name, tensor)
  }
  file.close()
  return out
}

/** Largest absolute difference of two equally long lists. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY
  let worst = 0
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i])
    if (!(difference <= worst)) worst = difference
  }
  return worst
}
