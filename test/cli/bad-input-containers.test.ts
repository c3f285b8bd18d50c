/** Parquet, CSV, gzip and zstd files that are damaged, cut off, or of other columns. */
import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { pairColumns, parquet, text } from '../data/parquet.js'
import { rawFrame } from '../data/zstd.js'
import { badInputFolder, call, lines, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const rescore = (path: string, ...flags: string[]) => [
  ...['rescore', path, '--label-error', '0.25', '--reward-temperature', '1', '--threads', '1'],
  ...['--output-dir', '$out', ...flags],
]

const whole = parquet(pairColumns(20))

/** The file with other bytes at a place. */
function changed(bytes: Buffer, at: number, ...values: number[]): Buffer {
  const copy = Buffer.from(bytes)
  copy.set(values, at < 0 ? copy.length + at : at)
  return copy
}

describe('Parquet', () => {
  test.each<[string, Buffer, RegExp]>([
    [
      'cut off',
      whole.subarray(0, -20),
      /cut off\.parquet: the footer of this Parquet file cannot be read.*\n.*Fetch or write the file again/,
    ],
    [
      'nothing but its first bytes',
      whole.subarray(0, 6),
      /first bytes\.parquet: the footer .* cannot be read/,
    ],
    [
      'with a footer of noise',
      changed(whole, -40, ...new Array(24).fill(255)),
      /noise\.parquet: the footer .* cannot be read/,
    ],
    [
      'with a page of noise',
      changed(whole, 30, ...new Array(40).fill(255)),
      /noise\.parquet: rows 1 to 20 of this Parquet file cannot be read/,
    ],
    [
      'with other columns',
      parquet([text('query', ['a', 'b']), text('reply', ['c', 'd'])]),
      /columns\.parquet:1: no known format.*columns found: query, reply/,
    ],
    [
      'with a number for an answer',
      parquet([...pairColumns(2).slice(0, 2), { name: 'rejected', data: [1, 2], type: 'INT32' }]),
      /answer\.parquet:1: .*rejected has to be string, is a number/,
    ],
    ['without rows', parquet(pairColumns(0)), /rows\.parquet: there are no rows.*\n.*at least one row/],
  ])('%s', async (name, bytes, message) => {
    await refused(files, rescore(put(files, `${name}.parquet`, bytes)), [message])
  })

  test('that is text', () =>
    refused(files, rescore(put(files, 'text.parquet', lines({ a: 1 }))), [
      /text\.parquet: this is no Parquet file\n.*name it after what it is/,
    ]))
})

describe('CSV and TSV', () => {
  test.each<[string, string, RegExp]>([
    ['short.csv', 'prompt,chosen,rejected\na,b\n', /short\.csv:1 \(line 2\): 2 fields, the header names 3/],
    ['long.csv', 'prompt,chosen,rejected\na,b,c,d\n', /long\.csv:1 \(line 2\): 4 fields, the header names 3/],
    [
      'open.csv',
      'prompt,chosen,rejected\n"a,b,c\n',
      /open\.csv: Quote Not Closed.*line 2\n.*stands in quotes/,
    ],
    ['stray.csv', 'prompt,chosen,rejected\na,b"x",c\n', /stray\.csv: Invalid Opening Quote.*line 2/],
    [
      'twice.csv',
      'prompt,chosen,chosen\na,b,c\n',
      /twice\.csv: the column "chosen" stands twice in the first line/,
    ],
    [
      'unnamed.csv',
      'prompt,,rejected\na,b,c\n',
      /unnamed\.csv:1 \(line 2\): .*chosen .*is missing \(columns found: prompt, rejected\)/,
    ],
    ['header-only.csv', 'prompt,chosen,rejected\n', /header-only\.csv: there are no rows/],
    [
      'commas.tsv',
      'prompt,chosen,rejected\na,b,c\n',
      /commas\.tsv:1 \(line 2\): .*columns found: prompt,chosen,rejected/,
    ],
  ])('%s', async (name, content, message) => {
    await refused(files, rescore(put(files, name, content)), [message])
  })

  test('that is not UTF-8', () =>
    refused(
      files,
      rescore(put(files, 'latin1.csv', Buffer.from('prompt,chosen,rejected\n\xe9,b,c\n', 'latin1'))),
      [/latin1\.csv: not UTF-8 after byte \d+\n.*Convert it to UTF-8/],
    ))
})

describe('compressed files', () => {
  const rows = lines({ prompt: 'q', chosen: 'a', rejected: 'b', score_chosen: 1, score_rejected: 0 })
  const gzip = gzipSync(rows.repeat(50))
  const zstd = rawFrame(rows)

  test.each<[string, Buffer, RegExp]>([
    ['cut.jsonl.gz', gzip.subarray(0, -10), /cut\.jsonl\.gz: damaged gzip: .*\n.*again/],
    ['damaged.jsonl.gz', changed(gzip, 20, 255, 255, 255), /damaged\.jsonl\.gz: damaged gzip/],
    ['cut.jsonl.zst', zstd.subarray(0, -5), /cut\.jsonl\.zst: damaged zstd: .*\n.*again/],
    ['damaged.jsonl.zst', changed(zstd, 9, 255, 255, 255), /damaged\.jsonl\.zst: damaged zstd/],
    [
      'zip.jsonl',
      Buffer.from('PK\x03\x04rest of it', 'latin1'),
      /zip\.jsonl: this is a zip archive.*\n.*Convert it to JSON lines/,
    ],
  ])('%s', async (name, bytes, message) => {
    await refused(files, rescore(put(files, name, bytes)), [message])
  })

  test('are known by their bytes: a name without .gz or .zst does not matter', async () => {
    for (const [name, bytes] of [
      ['plain-gz.jsonl', gzipSync(rows)],
      ['plain-zst.jsonl', zstd],
    ] as const) {
      const { code, out } = await call(files, rescore(put(files, name, bytes)))
      expect(code).toBe(0)
      expect(readFileSync(`${out}/rescored.jsonl`, 'utf8')).toContain('"q"')
    }
  })
})
