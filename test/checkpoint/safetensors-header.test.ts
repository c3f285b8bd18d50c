import { expect, test } from 'vitest'
import { HeaderFault, parseHeader } from '../../src/checkpoint/format/safetensors-header.js'
import { fileOf, MALFORMED, VALID } from './safetensors-cases.js'

const parse = (bytes: Buffer) =>
  parseHeader(bytes.length, (offset, length) => bytes.subarray(offset, offset + length))

test.each(VALID)('accepted: $name', ({ bytes, names }) => {
  expect([...parse(bytes).entries.keys()]).toEqual(names)
})

test.each(MALFORMED)('refused as $fault: $name', ({ bytes, fault }) => {
  let found: unknown
  try {
    parse(bytes)
  } catch (error) {
    found = error
  }
  expect(found).toBeInstanceOf(HeaderFault)
  expect((found as HeaderFault).kind).toBe(fault)
})

test('a tensor named __proto__ is there like any other', () => {
  const { entries } = parse(VALID.find(({ name }) => name.includes('__proto__'))!.bytes)
  expect([...entries.keys()]).toEqual(['__proto__'])
  expect(entries.get('__proto__')?.shape).toEqual([1])
})

test('entries come in the order of their data, with offsets within the file', () => {
  const header =
    '{"b":{"dtype":"I16","shape":[2],"data_offsets":[4,8]},"a":{"dtype":"U8","shape":[2,2],"data_offsets":[0,4]}}'
  const { entries } = parse(fileOf(header, 8))
  const start = 8 + header.length
  expect([...entries]).toEqual([
    ['a', { dtype: 'U8', shape: [2, 2], begin: start, end: start + 4 }],
    ['b', { dtype: 'I16', shape: [2], begin: start + 4, end: start + 8 }],
  ])
})

test('escapes in names are decoded', () => {
  const { entries } = parse(VALID.find(({ name }) => name.startsWith('escapes'))!.bytes)
  expect([...entries.keys()]).toEqual(['é\n😀'])
})

test('a file that was cut says which tensor, how much is missing, and both sizes', () => {
  const whole = fileOf('{"w":{"dtype":"F32","shape":[300,10],"data_offsets":[0,12000]}}', 12_000)
  expect(() => parse(whole.subarray(0, whole.length - 8))).toThrow(
    'tensor "w" says [300, 10] but its data is 8 bytes short; expected 12,071 bytes, found 12,063',
  )
})
