import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ClhaError } from '../../../src/errors.js'
import { openGguf } from '../../../src/models/gguf/format/gguf-file.js'
import { isGguf } from '../../../src/models/gguf/format/gguf-magic.js'
import { ggufChunks } from '../../../src/models/gguf/format/gguf-write.js'
import { temporaryFolder, thrown } from '../../helpers/folders.js'

/** Two keys and two tensors, laid out by hand from the format's description. */
function handMade(): Buffer {
  const u32 = (n: number) => Buffer.from(Uint32Array.of(n).buffer)
  const u64 = (n: number) => Buffer.from(BigUint64Array.of(BigInt(n)).buffer)
  const text = (s: string) => Buffer.concat([u64(s.length), Buffer.from(s)])
  const head = Buffer.concat([
    ...[Buffer.from('GGUF'), u32(3), u64(2), u64(2)],
    ...[text('a.name'), u32(8), text('small')],
    ...[text('a.list'), u32(9), u32(5), u64(3), u32(1), u32(2), u32(0xffffffff)],
    ...[text('one'), u32(2), u64(4), u64(2), u32(0), u64(0)],
    ...[text('two'), u32(1), u64(3), u32(1), u64(32)],
  ])
  const data = Buffer.alloc(38)
  for (let i = 0; i < 8; i++) data.writeFloatLE(i, 4 * i)
  Buffer.from(Uint16Array.of(0x3c00, 0xc000, 0).buffer).copy(data, 32)
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), data])
}

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'x.gguf')
  writeFileSync(path, bytes)
  return path
}

const opened = (bytes: Uint8Array) => openGguf(written(bytes))

describe('the head of a GGUF file', () => {
  it('gives metadata and tensors as the format says', () => {
    const file = opened(handMade())
    expect(Object.fromEntries(file.metadata)).toEqual({
      'a.name': { type: 'string', value: 'small' },
      'a.list': { type: 'array', of: 'int32', value: [1, 2, -1] },
    })
    const [one, two] = [...file.tensors.values()]
    expect([one.type, one.shape, two.type, two.shape]).toEqual(['F32', [2, 4], 'F16', [3]])
    expect([...new Float32Array(file.read(one).buffer)]).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect([...new Uint16Array(file.read(two).buffer)]).toEqual([0x3c00, 0xc000, 0])
    file.close()
  })

  it('what is written is read again', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6)
    const path = written(
      Buffer.concat([
        ...ggufChunks(
          [
            ['general.architecture', { type: 'string', value: 'größe' }],
            ['x', { type: 'float32', value: 0.5 }],
            ['y', { type: 'array', of: 'string', value: ['a', ''] }],
            ['z', { type: 'bool', value: true }],
          ],
          [{ name: 't', type: 'F32', shape: [3, 2], bytes: () => new Uint8Array(values.buffer) }],
        ),
      ]),
    )
    const file = openGguf(path)
    expect([...file.metadata.values()].map(({ value }) => value)).toEqual(['größe', 0.5, ['a', ''], true])
    expect(file.tensors.get('t')).toMatchObject({ type: 'F32', shape: [3, 2] })
    file.close()
    expect(isGguf(path)).toBe(true)
    expect(isGguf('src')).toBe(false)
    expect(isGguf('package.json')).toBe(false)
  })
})

/** The file with a number of `width` bytes at `at` replaced. */
function replaced(at: number, value: number | bigint, width: 4 | 8): Buffer {
  const bytes = handMade()
  if (width === 4) bytes.writeUInt32LE(Number(value), at)
  else bytes.writeBigUInt64LE(BigInt(value), at)
  return bytes
}

const at = (text: string) => handMade().indexOf(text)

describe('hostile files', () => {
  it.each([
    ['another format', Buffer.from('PK\x03\x04 and more'), 'does not begin with "GGUF"'],
    ['an empty file', Buffer.alloc(0), 'does not begin with "GGUF"'],
    ['version 1', replaced(4, 1, 4), 'version 1 is not read'],
    ['a big-endian file', replaced(4, 3 << 24, 4), 'big-endian'],
    ['a version of the future', replaced(4, 9, 4), 'version 9'],
    ['more tensors than bytes', replaced(8, 2n ** 40n, 8), '1099511627776 tensors do not fit'],
    ['more entries than bytes', replaced(16, 65_000, 8), '65000 metadata entries do not fit'],
    ['a key longer than the file', replaced(24, 2n ** 33n, 8), 'but the file ends at'],
    ['a number beyond all', replaced(24, 2n ** 63n, 8), 'is too large'],
    ['a value of no type', replaced(at('a.name') + 6, 77, 4), 'type 77 is none'],
    ['a list of lists', replaced(at('a.list') + 10, 9, 4), 'a list of lists'],
    [
      'a list longer than the file',
      replaced(at('a.list') + 14, 2n ** 30n, 8),
      'values in metadata "a.list" do not fit',
    ],
    ['a tensor of 9 dimensions', replaced(at('one') + 3, 9, 4), '9 dimensions'],
    ['a dimension of 0', replaced(at('one') + 7, 0, 8), 'a dimension of 0'],
    ['a tensor beyond all', replaced(at('one') + 7, 2n ** 52n, 8), 'is too large'],
    ['a type that is not read', replaced(at('one') + 23, 20, 4), 'type IQ4_NL is not read'],
    ['rows that are no blocks', replaced(at('one') + 23, 8, 4), 'rows of 4 are no whole blocks of Q8_0'],
    ['an offset into another tensor', replaced(at('two') + 19, 0, 8), 'its data begins at 0, not at 32'],
    ['a tensor beyond the end', replaced(at('two') + 7, 4, 8), 'it was not fully copied'],
  ])('%s is refused with what is wrong', (_, bytes, message) => {
    const error = thrown(() => opened(bytes))
    expect(error.exitCode).toBe(2)
    expect(error.message).toContain(message)
  })

  it('a file that is cut anywhere is refused', () => {
    const whole = handMade()
    for (let length = 0; length < whole.length; length += 3) {
      expect(thrown(() => opened(whole.subarray(0, length))).exitCode).toBe(2)
    }
  })

  it('a changed byte is refused or read, and never anything else', () => {
    const whole = handMade()
    let refused = 0
    for (let i = 0; i < whole.length - 38; i++) {
      const bytes = Buffer.from(whole)
      bytes[i] ^= 0x55
      try {
        opened(bytes).close()
      } catch (error) {
        expect(error).toBeInstanceOf(ClhaError)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(100)
  })
})
