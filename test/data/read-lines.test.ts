/** The byte-level splitters: lines and array elements. */
import { describe, expect, test } from 'vitest'
import { splitArray } from '../../src/data/read/read-array.js'
import { type RawPiece, splitLines } from '../../src/data/read/read-lines.js'

async function lines(text: string | Buffer, chunk = 3, limit?: number): Promise<RawPiece[]> {
  const bytes = Buffer.from(text as string)
  async function* chunks() {
    for (let i = 0; i < bytes.length; i += chunk) yield bytes.subarray(i, i + chunk)
  }
  const pieces: RawPiece[] = []
  for await (const piece of splitLines(chunks(), limit)) pieces.push(piece)
  return pieces
}
const brief = (pieces: Iterable<RawPiece>) =>
  [...pieces].map(({ row, byteOffset, bytes }) => [row, byteOffset, bytes.toString()])

describe('lines', () => {
  test.each([1, 2, 3, 100])(
    'CRLF, blank lines and a missing last line end, in chunks of %i bytes',
    async (chunk) => {
      expect(brief(await lines('ab\r\n\n  \nc\n\r\nd', chunk))).toEqual([
        [1, 0, 'ab'],
        [4, 8, 'c'],
        [6, 12, 'd'],
      ])
    },
  )

  test('a byte-order mark is skipped at the start only', async () => {
    expect(brief(await lines('\ufeffa\n\ufeffb\n'))).toEqual([
      [1, 3, 'a'],
      [2, 5, '\ufeffb'],
    ])
  })

  test('a lone CR does not end a line', async () => {
    expect(brief(await lines('a\rb\nc'))).toEqual([
      [1, 0, 'a\rb'],
      [2, 4, 'c'],
    ])
  })

  test('a line over the limit is reported with its place and does not disturb the next', async () => {
    const pieces = await lines(`ok\n${'x'.repeat(50)}\nfine`, 7, 20)
    expect(pieces.map((piece) => [piece.row, piece.byteOffset, piece.tooLong ?? false])).toEqual([
      [1, 0, false],
      [2, 3, true],
      [3, 54, false],
    ])
  })

  test('a 600 MiB line is refused at constant memory', async () => {
    const block = Buffer.alloc(1024 * 1024, 120)
    async function* chunks() {
      for (let i = 0; i < 600; i++) yield block
    }
    const before = process.memoryUsage().rss
    const pieces: RawPiece[] = []
    for await (const piece of splitLines(chunks())) pieces.push(piece)
    expect(pieces.map(({ row, tooLong }) => [row, tooLong])).toEqual([[1, true]])
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })
})

describe('array elements', () => {
  async function pieces(text: string, size = 1000, limit?: number): Promise<RawPiece[]> {
    const bytes = Buffer.from(text)
    async function* chunks() {
      const first = Math.max(size, text.search(/\[/) + 1)
      yield bytes.subarray(0, first)
      for (let i = first; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
    }
    const found: RawPiece[] = []
    for await (const piece of splitArray(chunks(), limit)) found.push(piece)
    return found
  }
  const elements = async (text: string, size?: number) => brief(await pieces(text, size))

  test.each([1, 2, 5, 1000])(
    'elements keep their place, whatever stands in their strings (chunks of %i)',
    async (size) => {
      expect(await elements(' [ {"a":"],\\"{"},\n[1,2] ,3 ]\n', size)).toEqual([
        [1, 3, '{"a":"],\\"{"}'],
        [2, 18, '[1,2] '],
        [3, 25, '3 '],
      ])
    },
  )

  test('an empty array has no elements', async () => expect(await elements(' [ ] ')).toEqual([]))

  test('elements know their lines', async () => {
    const found = await pieces('\n[\n {"a":\n1},\n\n2,3]', 3)
    expect(found.map(({ row, line }) => [row, line])).toEqual([
      [1, 3],
      [2, 6],
      [3, 6],
    ])
  })

  test('an element over the limit is reported with its place and does not disturb the next', async () => {
    const found = await pieces(`[1,"${'x'.repeat(50)}",3]`, 7, 20)
    expect(found.map((piece) => [piece.row, piece.byteOffset, piece.tooLong ?? false])).toEqual([
      [1, 1, false],
      [2, 3, true],
      [3, 56, false],
    ])
  })

  test.each([
    ['a trailing comma', '[1,]', [2, '']],
    ['a brace that closes nothing', '[1,2}]', [2, '2}']],
    ['text after the end', '[1] x', [2, 'x']],
    ['no closing bracket', '[1,{"a":2}', [3, '']],
    ['no closing bracket within an element', '[1,{"a":2', [2, '{"a":2']],
    ['a string that does not end', '[1,"ab]', [2, '"ab]']],
  ])('%s comes out as a piece of its own', async (_, text, [row, piece]) => {
    const last = (await elements(text)).at(-1)
    expect([last?.[0], last?.[2]]).toEqual([row, piece])
  })
})
