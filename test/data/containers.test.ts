/** Tables, Parquet and compressed files: what they read to, and what is said of those that are damaged. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type ReadOptions, readExamples } from '../../src/data/read/read-examples.js'
import { dataFile, jsonl, pair, pairs } from './files.js'
import { pairColumns, parquet, text } from './parquet.js'
import { rawFrame } from './zstd.js'

const HEADER = 'prompt,chosen,rejected\n'
const prompts = async (content: string | Buffer, name: string, options?: ReadOptions) =>
  (await readExamples(dataFile(content, name), options)).examples.map(({ prompt }) => prompt)
const faultsOf = async (content: string | Buffer, name: string) =>
  (await readExamples(dataFile(content, name), { skipBad: true })).report.faults

describe('CSV and TSV', () => {
  test('quotes, separators and line ends in fields; CRLF and a byte-order mark outside', async () => {
    const file = dataFile(
      '\ufeffprompt,chosen,rejected\r\n"a ""b""\nc, d", good,bad\r\n\r\nq,1,2\r\n',
      'x.csv',
    )
    const { examples } = await readExamples(file)
    expect(examples.map(({ prompt, row }) => [prompt, row])).toEqual([
      ['a "b"\nc, d', 1],
      ['q', 2],
    ])
    expect(examples[0].candidates.map((candidate) => candidate.text)).toEqual([' good', 'bad'])
  })

  test('TSV, packed, with scores and a column without a name', async () => {
    const rows = '\tprompt\tchosen\trejected\tscore_chosen\tscore_rejected\n0\tq\ta, b\tc\t1.5\t-2e1\n'
    const { examples } = await readExamples(dataFile(gzipSync(rows), 'x.tsv.gz'))
    expect(examples[0].candidates.map(({ text, reward }) => [text, reward])).toEqual([
      ['a, b', 1.5],
      ['c', -20],
    ])
  })

  test('a record of another length is a fault of its row, with the line where it starts', async () => {
    const content = `${HEADER}"two\nlines",a,b\n\nq,a,b,c\nq,a\nr,a,b\n`
    const file = dataFile(content, 'x.csv')
    await expect(readExamples(file)).rejects.toThrow(`${file}:2 (line 5): 4 fields, the header names 3`)
    const faults = await faultsOf(content, 'x.csv')
    expect(faults.map(({ row, line, code }) => [row, line, code])).toEqual([
      [2, 5, 'wrong_columns'],
      [3, 6, 'wrong_columns'],
    ])
  })

  test.each([
    ['a column twice', 'a,b,a\n1,2,3\n', /the column "a" stands twice/],
    ['a quote that does not close', `${HEADER}q,a,b\n"q,a,b\n`, /[Qq]uote.* at line 3/],
    ['text behind a closing quote', `${HEADER}"q"x,a,b\n`, /[Qq]uote.* at line 2/],
    ['a quote inside a field', `${HEADER}q"x,a,b\n`, /[Qq]uote.* at line 2/],
    ['bytes that are not UTF-8', Buffer.from('prompt\n\xff\n', 'latin1'), /not UTF-8/],
    ['a character that is cut off', Buffer.from(`${HEADER}q,a,é`).subarray(0, -1), /not UTF-8/],
    ['a header alone', HEADER, /no rows/],
    ['no column name', ',,\n1,2,3\n', /no column name/],
    ['a column named __proto__', '__proto__,b\n1,2\n', /"__proto__" is not allowed/],
    ['columns of another kind', 'a,b\n1,2\n', /nearest is .*columns found: a, b/],
    [
      'a score that is no number',
      'prompt,chosen,rejected,score_chosen\nq,a,b,high\n',
      /score_chosen is "high", not a number/,
    ],
  ])('%s is an error with a way out', async (_, content, message) => {
    const reading = readExamples(dataFile(content, 'x.csv'))
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toMatchObject({ exitCode: 2, hint: expect.any(String) })
  })
})

describe('Parquet', () => {
  const whole = parquet(pairColumns(12), { rowGroupSize: 5 })

  test('row groups are read one after the other; rows count through', async () => {
    const { examples, report } = await readExamples(dataFile(whole, 'x.parquet'))
    expect(examples.map(({ prompt, row }) => [prompt, row])).toEqual(
      pairs(12).map(({ prompt }, i) => [prompt, i + 1]),
    )
    expect(report.rows).toBe(12)
    expect((await readExamples(dataFile(whole, 'x.parquet'), { limit: 3 })).report.rows).toBe(3)
  })

  test('64-bit ids become numbers where they fit, and stay exact where they do not', async () => {
    const ids = [7n, 9007199254740993n, null]
    const content = parquet([{ name: 'id', data: ids, type: 'INT64' }, ...pairColumns(3)])
    const { examples } = await readExamples(dataFile(content, 'x.parquet'))
    expect(examples.map(({ id }) => id.replace(/.*:/, ':'))).toEqual(['7', '9007199254740993', ':3'])
  })

  test('a null in a needed column is a fault of its row', async () => {
    const content = parquet([
      text('prompt', ['q', 'r']),
      text('chosen', ['a', null]),
      text('rejected', ['b', 'c']),
    ])
    const [{ row, reason, ...rest }] = await faultsOf(content, 'x.parquet')
    expect([row, reason]).toEqual([2, expect.stringMatching(/chosen has to be string, is (null|missing)/)])
    expect(rest).not.toHaveProperty('byteOffset')
  })

  test('bytes that are not UTF-8 matter only where the column is needed', async () => {
    const bytes = { name: 'image', data: [new Uint8Array([0xff, 0xd8])], type: 'BYTE_ARRAY' as const }
    expect(await prompts(parquet([...pairColumns(1), bytes]), 'x.parquet')).toEqual(['question 1'])
    const broken = parquet([...pairColumns(1).slice(0, 2), { ...bytes, name: 'rejected' }])
    await expect(readExamples(dataFile(broken, 'x.parquet'))).rejects.toThrow(
      'rejected has to be string, is not UTF-8',
    )
  })

  const damaged = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(whole)
    change(bytes)
    return bytes
  }
  test.each([
    ['cut off', whole.subarray(0, -20), 'x.parquet', /the footer of this Parquet file cannot be read/],
    ['the magic bytes alone', Buffer.from('PAR1'), 'x.parquet', /the footer/],
    [
      'a footer of nonsense',
      damaged((b) => b.fill(0x55, b.length - 60, b.length - 8)),
      'x.parquet',
      /Parquet file/,
    ],
    [
      'a footer longer than the file',
      damaged((b) => b.writeUInt32LE(2 ** 31, b.length - 8)),
      'x.parquet',
      /the footer/,
    ],
    [
      'pages of nonsense',
      damaged((b) => b.fill(0xee, 4, 200)),
      'x.parquet',
      /rows 1 to 5 of this Parquet file/,
    ],
    ['an encrypted file', Buffer.from('PARE....PARE'), 'x.parquet', /encrypted Parquet/],
    ['text named .parquet', Buffer.from(jsonl(pairs(2))), 'x.parquet', /this is no Parquet file/],
    ['a pickle named .parquet', Buffer.from([0x80, 4, 0x95, 1]), 'x.parquet', /Python pickle/],
    ['Parquet named .jsonl', whole, 'x.jsonl', /this is a Parquet file/],
    ['Parquet in gzip', gzipSync(whole), 'x.jsonl.gz', /this is a Parquet file/],
    ['no rows', parquet([text('prompt', [])]), 'x.parquet', /no rows/],
    ['columns of another kind', parquet([text('a', ['x'])]), 'x.parquet', /columns found: a\)/],
    ['an Arrow file', Buffer.from('ARROW1\0\0'), 'x.arrow', /Arrow file/],
  ])('%s is an error with a way out', async (_, content, name, message) => {
    const reading = readExamples(dataFile(content, name))
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toMatchObject({ exitCode: 2, hint: expect.any(String) })
  })

  test('a codec that is not known is named', async () => {
    const bytes = Buffer.from(parquet(pairColumns(1)))
    // In the footer each column's codec (field 4) follows its path: 0x15, zigzag(SNAPPY = 1) = 2, then field 5.
    const changed = Buffer.from(bytes.toString('latin1').replaceAll('\x15\x02\x16', '\x15\x12\x16'), 'latin1')
    expect(changed.equals(bytes)).toBe(false)
    await expect(readExamples(dataFile(changed, 'x.parquet'))).rejects.toThrow(
      /x\.parquet: rows 1 to 1 .*codec/,
    )
  })

  test('a codec that is not the one it was written with is an error', async () => {
    const bytes = Buffer.from(parquet(pairColumns(1)))
    const changed = Buffer.from(bytes.toString('latin1').replaceAll('\x15\x02\x16', '\x15\x0c\x16'), 'latin1')
    await expect(readExamples(dataFile(changed, 'x.parquet'))).rejects.toThrow(
      'rows 1 to 1 of this Parquet file',
    )
  })
})

describe('compressed text', () => {
  const [first, second] = [jsonl(pairs(2)), jsonl([pair(3)])]
  const zstd = Buffer.concat([rawFrame(first), rawFrame(second)])

  test.each([
    ['gzip of two members', Buffer.concat([gzipSync(first), gzipSync(second)]), 'x.jsonl.gz'],
    ['zstd of two frames', zstd, 'x.jsonl.zst'],
    ['zstd without the name', zstd, 'x.jsonl'],
    [
      'zstd of many small frames',
      Buffer.concat([...(first + second)].map((char) => rawFrame(char))),
      'x.jsonl.zst',
    ],
    ['CSV in zstd', rawFrame(`${HEADER}question 1,a,b\nquestion 2,a,b\nquestion 3,a,b\n`), 'x.csv.zst'],
  ])('%s', async (_, content, name) => {
    expect(await prompts(content, name)).toEqual(['question 1', 'question 2', 'question 3'])
  })

  test.each([
    ['zstd that is cut off', zstd.subarray(0, -5), 'x.jsonl.zst', /damaged zstd/],
    ['a zstd header alone', zstd.subarray(0, 7), 'x.jsonl.zst', /damaged zstd/],
    [
      'text behind the last frame',
      Buffer.concat([zstd, Buffer.from('more text here')]),
      'x.jsonl.zst',
      /damaged zstd/,
    ],
    ['a pickle in zstd', rawFrame(Buffer.from([0x80, 4, 0x95, 1])), 'x.jsonl.zst', /Python pickle/],
    ['nothing in zstd', rawFrame(''), 'x.jsonl.zst', /the file is empty/],
    ['gzip in gzip', gzipSync(gzipSync(first)), 'x.jsonl.gz', /cannot be read|not UTF-8/],
    ['bzip2', Buffer.from('BZh91AY'), 'x.jsonl', /bzip2/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), 'x.jsonl', /xz/],
  ])('%s is an error', async (_, content, name, message) => {
    await expect(readExamples(dataFile(content, name))).rejects.toThrow(message)
  })
})

test('a JSON array behind white space larger than a chunk is an array', async () => {
  const file = dataFile(`${' \n'.repeat(70_000)}${JSON.stringify(pairs(2))}`, 'x.json')
  expect(readFileSync(file).length).toBeGreaterThan(2 * 65_536)
  expect((await readExamples(file)).report.rows).toBe(2)
})
