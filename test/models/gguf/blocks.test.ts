import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dequantize } from '../../../src/models/gguf/format/dequantize.js'
import { fromBrain, halfTable, toBrain, toHalf } from '../../../src/models/gguf/format/half.js'
import { quantize } from '../../../src/models/gguf/format/quantize.js'
import type { TensorType } from '../../../src/models/gguf/format/tensor-types.js'

interface Recorded {
  read: Record<string, { bytes: string; values: string }>
  numbers: string
  written: Record<string, string>
}

/** Recorded from ggml and gguf-py by scripts/parity/i_gguf_blocks.py. */
const recorded = JSON.parse(readFileSync('test/fixtures/gguf/blocks.json', 'utf8')) as Recorded
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (data: Uint8Array) => Buffer.from(data).toString('hex')

describe('blocks of GGUF', () => {
  it.each(Object.entries(recorded.read))('%s is read bit for bit as gguf-py reads it', (type, block) => {
    const values = new Float32Array(block.values.length / 8)
    dequantize(type as TensorType, bytes(block.bytes), values)
    expect(hex(new Uint8Array(values.buffer))).toBe(block.values)
  })

  it.each(Object.entries(recorded.written))(
    '%s is written bit for bit as ggml writes it',
    (type, expected) => {
      const numbers = new Float32Array(bytes(recorded.numbers).buffer)
      expect(hex(quantize(type as TensorType, numbers))).toBe(expected)
    },
  )
})

describe('halves', () => {
  it('every half is the nearest one to its own value', () => {
    const table = halfTable()
    const same = (half: number) => toHalf(table[half]) === half || Number.isNaN(table[half])
    expect([...table.keys()].filter((half) => !same(half))).toEqual([])
    expect(table.filter(Number.isNaN)).toHaveLength(2 * 1023)
    expect(Number.isNaN(table[toHalf(Number.NaN)])).toBe(true)
  })

  it('a value between two halves goes to the nearer one, a tie to the even one', () => {
    expect(toHalf(1 + 2 ** -11)).toBe(0x3c00)
    expect(toHalf(1 + 3 * 2 ** -11)).toBe(0x3c02)
    expect(toHalf(65_519.99)).toBe(0x7bff)
    expect(toHalf(65_520)).toBe(0x7c00)
    expect(toHalf(2 ** -25)).toBe(0)
    expect(toHalf(2 ** -25 * 1.001)).toBe(1)
  })

  it('a value between two bfloat16 goes to the nearer one, a tie to the even one', () => {
    expect(toBrain(1 + 2 ** -8)).toBe(0x3f80)
    expect(toBrain(1 + 3 * 2 ** -8)).toBe(0x3f82)
    expect(fromBrain(0x3f81)).toBe(1 + 2 ** -7)
    expect(Number.isNaN(fromBrain(toBrain(Number.NaN)))).toBe(true)
  })
})
