/** JSON as data: what is refused, with which reason, and what is kept byte for byte. */
import { expect, test } from 'vitest'
import { RowFault } from '../../src/data/read/row-fault.js'
import { parseRowJson } from '../../src/data/read/strict-row.js'

const parse = (text: string | Buffer) =>
  parseRowJson({ row: 1, byteOffset: 0, bytes: Buffer.from(text as string) })

function codeOf(text: string | Buffer): string {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof RowFault && error.kind === 'structural') return error.code
  }
  return 'accepted'
}

test.each([
  ['a cut line', '{"a": "b', 'bad_json'],
  ['two objects on a line', '{"a":1}{"a":2}', 'bad_json'],
  ['a trailing comma', '{"a":1,}', 'bad_json'],
  ['NaN beside another fault', '{"a": NaN,}', 'bad_json'],
  ['a word that begins with NaN', '{"a": NaNs}', 'bad_json'],
  ['-Infinity', '{"a": -Infinity}', 'bad_json'],
  ['a lone CR in a string', '{"a":"x\ry"}', 'bad_json'],
  ['an overflowing number', '{"a": [1e999]}', 'bad_number'],
  ['the same key twice', '{"a":1, "a" :2}', 'duplicate_key'],
  ['the same key, once escaped', '{"a":1,"\\u0061":2}', 'duplicate_key'],
  ['the same key twice, deeper', '{"x":[{"a":1,"b":{},"a":2}]}', 'duplicate_key'],
  ['__proto__', '{"__proto__":{"x":1}}', 'proto_key'],
  ['an escaped __proto__', '{"\\u005f_proto__":1}', 'proto_key'],
  ['a lone surrogate', '{"a":"\\ud800"}', 'bad_text'],
  ['a lone surrogate in a key', '{"\\udc00":1}', 'bad_text'],
  ['10,000 levels', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'too_deep'],
  ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0xc3, 0x28, 0x22]), 'bad_utf8'],
])('%s is refused', (_, text, code) => expect(codeOf(text)).toBe(code))

test.each([
  ['NUL, bidi marks, U+FFFD and emoji', '{"a":"\\u0000\u202e\ufffd😀\\ud83d\\ude00"}'],
  ['equal keys in different objects', '[{"a":1},{"a":1}]'],
  ['a string that looks like a key', '{"a":"a", "b":"\\"a\\":1"}'],
  ['brackets behind an escaped quote', `{"a":"\\"${'['.repeat(100)}"}`],
  ['NaN inside a string', '{"a":"x: NaN"}'],
])('%s is kept as JSON.parse gives it', (_, text) => expect(parse(text)).toEqual(JSON.parse(text)))

test('bad UTF-8 names the byte', () => {
  const bytes = Buffer.concat([Buffer.from('{"é":"'), Buffer.from([0xff]), Buffer.from('"}')])
  expect(() => parse(bytes)).toThrow('byte 7 of the row is 0xff')
})

test('Infinity is named in the reason', () =>
  expect(() => parse('{"reward": Infinity}')).toThrow('Infinity is no JSON number'))

test('NaN, as Python writes a missing number, is null; inside a string it stays', () =>
  expect(parse('{"a": NaN, "b": [NaN,1], "c": "x: NaN \\" NaN"}')).toEqual({
    a: null,
    b: [null, 1],
    c: 'x: NaN " NaN',
  }))

test('an id beyond 2^53 is exact, a deeper one is not taken for it', () => {
  const row = parse('{"x": {"id": 9007199254740995}, "s": "\\"id\\": 1", "id": 9007199254740993}')
  expect(row).toMatchObject({ id: 9007199254740993n })
})
