import { expect, test } from 'vitest'
import { HeaderFault, parseHeader } from '../../src/checkpoint/format/safetensors-header.js'
import { layoutSafetensors } from '../../src/checkpoint/format/safetensors-write.js'
import { createRandom } from '../../src/random.js'
import { mutate, SEED_FILE } from './mutate-safetensors.js'

const CASES = 100_000

const parse = (bytes: Buffer) =>
  parseHeader(bytes.length, (offset, length) => {
    // A reader asks only for bytes of the file.
    if (offset < 0 || offset + length > bytes.length) throw new RangeError('read past the file')
    return bytes.subarray(offset, offset + length)
  })

test(`F2: ${CASES.toLocaleString('en-US')} mutated files each give a typed refusal or a sound header`, () => {
  const random = createRandom('safetensors fuzz 1')
  const counts = new Map<string, number>()
  for (let i = 0; i < CASES; i++) {
    const bytes = mutate(random)
    let verdict = 'accepted'
    try {
      const { entries } = parse(bytes)
      let covered = 8 + Number(bytes.readBigUInt64LE(0))
      for (const { begin, end } of entries.values()) {
        if (begin !== covered || end < begin) throw new Error('the accepted header has a hole or overlap')
        covered = end
      }
      if (covered !== bytes.length) throw new Error('the accepted header does not cover the file')
    } catch (error) {
      if (!(error instanceof HeaderFault)) throw error
      verdict = error.kind
    }
    counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  }
  // The mutations reach the acceptance and every kind of refusal, or they would prove little.
  expect([...counts.keys()].sort()).toEqual(
    [
      ...['accepted', 'dtype', 'duplicate-key', 'entry', 'file-size', 'header-length', 'header-start'],
      ...[
        'header-too-large',
        'json',
        'metadata',
        'offsets',
        'overflow',
        'shape',
        'size',
        'too-small',
        'utf-8',
      ],
    ].sort(),
  )
})

test('the file that the mutations start from is accepted', () => {
  expect(parse(SEED_FILE).entries.size).toBe(5)
})

test('10,000 random sets of tensors survive writing and parsing', () => {
  const random = createRandom('safetensors round trip')
  const dtypes = ['F64', 'F32', 'BF16', 'I8', 'BOOL', 'U64'] as const
  const width = { F64: 8, F32: 4, BF16: 2, I8: 1, BOOL: 1, U64: 8 }
  for (let i = 0; i < 10_000; i++) {
    const tensors = Array.from({ length: random.int(5) }, (_, n) => {
      const dtype = random.pick([...dtypes])
      const shape = Array.from({ length: random.int(4) }, () => random.int(4))
      const bytes = new Uint8Array(shape.reduce((a, b) => a * b, 1) * width[dtype]).fill(n + 1)
      return { name: `${random.pick(['a', 'é', '__proto__', '"', ''])}${n}`, dtype, shape, bytes }
    })
    const { bytes, chunks } = layoutSafetensors(tensors)
    const file = Buffer.concat([...chunks()])
    expect(file.length).toBe(bytes)
    const { entries } = parse(file)
    expect(entries.size).toBe(tensors.length)
    for (const { name, dtype, shape, bytes } of tensors) {
      const entry = entries.get(name)!
      expect([entry.dtype, entry.shape.join()]).toEqual([dtype, shape.join()])
      expect(file.subarray(entry.begin, entry.end).equals(bytes)).toBe(true)
    }
  }
})
