/** Well-formed and malformed safetensors bytes, each with the verdict that the format's own reader gave (0.8.0). */
import type { HeaderFaultKind } from '../../src/checkpoint/format/safetensors-header.js'

/** A file from its header text and its data. */
export function fileOf(header: string | Uint8Array, data: Uint8Array | number = 0, length?: bigint): Buffer {
  const text = typeof header === 'string' ? Buffer.from(header) : Buffer.from(header)
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([size, text, typeof data === 'number' ? Buffer.alloc(data, 7) : data])
}

const one = (fields: string, name = 'a') => `{"${name}":{${fields}}}`
const f32 = (shape: string, begin: number | string, end: number | string) =>
  `"dtype":"F32","shape":${shape},"data_offsets":[${begin},${end}]`

export interface SafetensorsCase {
  name: string
  bytes: Buffer
  /** Our verdict; undefined: accepted. */
  fault?: HeaderFaultKind
  /** The reference reader's verdict, where it differs from ours on purpose. */
  crateAccepts?: true
}

const many = Array.from({ length: 1000 }, (_, i) => `"t${i}":{${f32('[1]', 0, 4)}}`).join(',')
const nested = (depth: number) => one(`${f32('[1]', 0, 4)},"x":${'['.repeat(depth)}${']'.repeat(depth)}`)

/** `names`: of the tensors, in the order of their data. */
export const VALID: (SafetensorsCase & { names: string[] })[] = [
  { name: 'one tensor', names: ['a'], bytes: fileOf(one(f32('[2,3]', 0, 24)), 24) },
  { name: 'no tensor', names: [], bytes: fileOf('{}') },
  { name: 'a scalar', names: ['a'], bytes: fileOf(one(f32('[]', 0, 4)), 4) },
  { name: 'an empty tensor', names: ['a'], bytes: fileOf(one(f32('[0]', 0, 0))) },
  {
    name: 'an empty tensor with a large dimension behind the zero',
    names: ['a'],
    bytes: fileOf(one(f32('[0,4611686018]', 0, 0))),
  },
  {
    name: 'empty tensors between others',
    names: ['a', 'e', 'b'],
    bytes: fileOf(`{"a":{${f32('[1]', 0, 4)}},"e":{${f32('[3,0]', 4, 4)}},"b":{${f32('[1]', 4, 8)}}}`, 8),
  },
  { name: 'a padded header', names: ['a'], bytes: fileOf(`${one(f32('[1]', 0, 4))}     `, 4) },
  {
    name: 'a header that ends with other white space',
    names: ['a'],
    bytes: fileOf(`${one(f32('[1]', 0, 4))}\n\t\r `, 4),
  },
  {
    name: 'metadata',
    names: ['a'],
    bytes: fileOf(`{"__metadata__":{"format":"pt"},"a":{${f32('[1]', 0, 4)}}}`, 4),
  },
  {
    name: 'metadata null',
    names: ['a'],
    bytes: fileOf(`{"__metadata__":null,"a":{${f32('[1]', 0, 4)}}}`, 4),
  },
  {
    name: 'a tensor named __proto__',
    names: ['__proto__'],
    bytes: fileOf(one(f32('[1]', 0, 4), '__proto__'), 4),
  },
  { name: 'an empty name', names: [''], bytes: fileOf(one(f32('[1]', 0, 4), ''), 4) },
  {
    name: 'escapes in a name',
    names: ['é\n😀'],
    bytes: fileOf(one(f32('[1]', 0, 4), '\\u00e9\\n\\ud83d\\ude00'), 4),
  },
  {
    name: 'tensors listed against the order of the data',
    names: ['a', 'b'],
    bytes: fileOf(`{"b":{${f32('[1]', 4, 8)}},"a":{${f32('[1]', 0, 4)}}}`, 8),
  },
  {
    name: 'an unknown field',
    names: ['a'],
    bytes: fileOf(one(`${f32('[1]', 0, 4)},"extra":[1.5e3,{"x":-2}]`), 4),
  },
  { name: 'a field nested to the limit', names: ['a'], bytes: fileOf(nested(125), 4) },
  {
    name: 'sub-byte elements that fill their bytes',
    names: ['a'],
    bytes: fileOf(one('"dtype":"F4","shape":[4],"data_offsets":[0,2]'), 2),
  },
]

export const MALFORMED: SafetensorsCase[] = [
  { name: 'nothing', bytes: Buffer.alloc(0), fault: 'too-small' },
  { name: 'seven bytes', bytes: Buffer.alloc(7), fault: 'too-small' },
  { name: 'an empty header', bytes: fileOf(''), fault: 'header-start' },
  { name: 'a header over 100 MB', bytes: fileOf('{}', 0, 100_000_001n), fault: 'header-too-large' },
  { name: 'a header of 2^64 - 1 bytes', bytes: fileOf('{}', 0, 2n ** 64n - 1n), fault: 'header-too-large' },
  { name: 'a header longer than the file', bytes: fileOf('{}', 0, 3n), fault: 'header-length' },
  { name: 'bytes after the last tensor', bytes: fileOf(one(f32('[1]', 0, 4)), 5), fault: 'file-size' },
  { name: 'the last byte missing', bytes: fileOf(one(f32('[1]', 0, 4)), 3), fault: 'file-size' },
  { name: 'bytes after no tensor', bytes: fileOf('{}', 1), fault: 'file-size' },
  { name: '1,000 tensors over the same bytes', bytes: fileOf(`{${many}}`, 4), fault: 'offsets' },
  {
    name: 'a hole',
    bytes: fileOf(`{"a":{${f32('[1]', 0, 4)}},"b":{${f32('[1]', 8, 12)}}}`, 12),
    fault: 'offsets',
  },
  { name: 'a hole at the start', bytes: fileOf(one(f32('[1]', 4, 8)), 8), fault: 'offsets' },
  { name: 'offsets that go back', bytes: fileOf(one(f32('[1]', 4, 0)), 4), fault: 'offsets' },
  {
    name: 'three offsets',
    bytes: fileOf(one('"dtype":"F32","shape":[1],"data_offsets":[0,4,4]'), 4),
    fault: 'offsets',
  },
  { name: 'a shape larger than its bytes', bytes: fileOf(one(f32('[2]', 0, 4)), 4), fault: 'size' },
  { name: 'a shape smaller than its bytes', bytes: fileOf(one(f32('[1]', 0, 8)), 8), fault: 'size' },
  {
    name: 'sub-byte elements that end within a byte',
    bytes: fileOf(one('"dtype":"F4","shape":[3],"data_offsets":[0,2]'), 2),
    fault: 'size',
  },
  { name: 'a negative offset', bytes: fileOf(one(f32('[1]', -4, 0)), 0), fault: 'offsets' },
  { name: 'minus zero as offset', bytes: fileOf(one(f32('[1]', '-0', 4)), 4), fault: 'offsets' },
  { name: 'a fractional offset', bytes: fileOf(one(f32('[1]', '0.0', 4)), 4), fault: 'offsets' },
  { name: 'an offset as text', bytes: fileOf(one(f32('[1]', '"0"', 4)), 4), fault: 'offsets' },
  { name: 'a negative dimension', bytes: fileOf(one(f32('[-1]', 0, 4)), 4), fault: 'shape' },
  { name: 'a dimension in exponent form', bytes: fileOf(one(f32('[1e0]', 0, 4)), 4), fault: 'shape' },
  { name: 'no shape', bytes: fileOf(one('"dtype":"F32","data_offsets":[0,4]'), 4), fault: 'shape' },
  { name: 'no dtype', bytes: fileOf(one('"shape":[1],"data_offsets":[0,4]'), 4), fault: 'dtype' },
  {
    name: 'an unknown dtype',
    bytes: fileOf(one('"dtype":"F31","shape":[1],"data_offsets":[0,4]'), 4),
    fault: 'dtype',
  },
  {
    name: 'a dtype named like an inherited property',
    bytes: fileOf(one('"dtype":"toString","shape":[1],"data_offsets":[0,4]'), 4),
    fault: 'dtype',
  },
  {
    name: 'elements that overflow',
    bytes: fileOf(one(f32('[4294967296,4294967296]', 0, 4)), 4),
    fault: 'overflow',
  },
  {
    name: 'elements that overflow before a zero',
    bytes: fileOf(one(f32('[4294967296,4294967296,0]', 0, 0))),
    fault: 'overflow',
  },
  {
    name: 'bits that overflow',
    bytes: fileOf(one(f32('[4294967296,1073741824]', 0, 4)), 4),
    fault: 'overflow',
  },
  { name: 'metadata that is no text', bytes: fileOf('{"__metadata__":{"a":1}}'), fault: 'metadata' },
  { name: 'metadata that is a list', bytes: fileOf('{"__metadata__":["a"]}'), fault: 'metadata' },
  { name: 'an array as header', bytes: fileOf('[]'), fault: 'header-start' },
  {
    name: 'invalid UTF-8 in a name',
    bytes: fileOf(Buffer.from(one(f32('[1]', 0, 4), '\xff\xc3('), 'latin1'), 4),
    fault: 'utf-8',
  },
  { name: 'a byte order mark', bytes: fileOf(`\ufeff${one(f32('[1]', 0, 4))}`, 4), fault: 'header-start' },
  { name: 'a lone surrogate in a name', bytes: fileOf(one(f32('[1]', 0, 4), '\\ud800'), 4), fault: 'json' },
  { name: 'a control character in a name', bytes: fileOf(one(f32('[1]', 0, 4), 'a\nb'), 4), fault: 'json' },
  { name: 'a bad escape', bytes: fileOf(one(f32('[1]', 0, 4), '\\x'), 4), fault: 'json' },
  {
    name: 'a trailing comma',
    bytes: fileOf('{"a":{"dtype":"F32","shape":[1,],"data_offsets":[0,4]}}', 4),
    fault: 'json',
  },
  { name: 'a leading zero', bytes: fileOf(one(f32('[01]', 0, 4)), 4), fault: 'json' },
  { name: 'NaN', bytes: fileOf(one(f32('[NaN]', 0, 4)), 4), fault: 'json' },
  {
    name: 'a number out of range in an unknown field',
    bytes: fileOf(one(`${f32('[1]', 0, 4)},"x":1e999`), 4),
    fault: 'json',
  },
  { name: 'two headers', bytes: fileOf('{}{}'), fault: 'json' },
  { name: 'a zero byte after the header', bytes: fileOf('{}\0'), fault: 'json' },
  { name: 'nesting beyond the limit', bytes: fileOf(nested(100_000), 4), fault: 'json' },
  { name: 'nesting just beyond the limit', bytes: fileOf(nested(126), 4), fault: 'json' },
  { name: 'a tensor that is null', bytes: fileOf('{"a":null}'), fault: 'entry' },
  { name: 'metadata twice', bytes: fileOf('{"__metadata__":{},"__metadata__":{}}'), fault: 'duplicate-key' },
  {
    name: 'a field twice',
    bytes: fileOf(one(`"dtype":"F32",${f32('[1]', 0, 4)}`), 4),
    fault: 'duplicate-key',
  },
  {
    name: 'a name twice',
    bytes: fileOf(`{"a":{${f32('[1]', 0, 4)}},"a":{${f32('[1]', 0, 4)}}}`, 4),
    fault: 'duplicate-key',
    crateAccepts: true,
  },
  {
    name: 'white space before the header',
    bytes: fileOf(` ${one(f32('[1]', 0, 4))}`, 4),
    fault: 'header-start',
    crateAccepts: true,
  },
  {
    name: 'a tensor described by a list',
    bytes: fileOf('{"a":["F32",[1],[0,4]]}', 4),
    fault: 'entry',
    crateAccepts: true,
  },
  {
    name: 'a dimension above 2^53',
    bytes: fileOf(one(f32('[0,9007199254740993]', 0, 0))),
    fault: 'shape',
    crateAccepts: true,
  },
]
