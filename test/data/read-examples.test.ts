/** Reading files: every row is kept or accounted for, and every refusal says where and why. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { readExamples } from '../../src/data/read/read-examples.js'
import { ClhaError } from '../../src/errors.js'
import { createRandom } from '../../src/random.js'
import { dataFile, jsonl, pair, pairs, transcript } from './files.js'

describe('containers', () => {
  const rows = pairs(3)
  test.each([
    ['jsonl', 'rows.jsonl', jsonl(rows)],
    ['jsonl.gz', 'rows.jsonl.gz', gzipSync(jsonl(rows))],
    ['gzip without the name', 'rows.jsonl', gzipSync(jsonl(rows))],
    ['json array', 'rows.json', JSON.stringify(rows, null, 2)],
    ['json array with a byte-order mark', 'rows.json', `\ufeff${JSON.stringify(rows)}`],
    ['json.gz', 'rows.json.gz', gzipSync(JSON.stringify(rows))],
    ['JSON lines named .json', 'rows.json', jsonl(rows)],
  ])('%s', async (_, name, content) => {
    const file = dataFile(content, name)
    const { examples, report } = await readExamples(file)
    expect(examples.map(({ prompt, row, source }) => [prompt, row, source])).toEqual([
      ['question 1', 1, 'rows'],
      ['question 2', 2, 'rows'],
      ['question 3', 3, 'rows'],
    ])
    expect(examples[0].id).toBe(`${file}:1`)
    expect(report).toMatchObject({
      rows: 3,
      kept: 3,
      faults: [],
      formats: { trl_string: 3 },
      sources: { rows: 3 },
    })
    expect(report.files[0].sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test('a folder is read in depth, sorted, without hidden files; a list of paths in its order', async () => {
    const first = dataFile(jsonl([pair(2)]), 'b.jsonl')
    const folder = dirname(first)
    mkdirSync(join(folder, 'a'))
    writeFileSync(join(folder, 'a', 'z.json'), JSON.stringify([pair(1)]))
    writeFileSync(join(folder, '.hidden.jsonl'), 'x')
    writeFileSync(join(folder, 'README.md'), 'x')
    const target = dataFile(jsonl([pair(3)]))
    symlinkSync(target, join(folder, 'c.jsonl'))
    const { examples } = await readExamples(folder)
    expect(examples.map(({ prompt }) => prompt)).toEqual(['question 1', 'question 2', 'question 3'])
    const listed = await readExamples([target, first])
    expect(listed.examples.map(({ prompt }) => prompt)).toEqual(['question 3', 'question 2'])
    await expect(readExamples([first, folder])).rejects.toThrow('named twice')
  })

  test.each([
    ['a pickle', Buffer.from([0x80, 4, 0x95, 1]), 'x.jsonl', /Python pickle/],
    ['a pickle inside gzip', gzipSync(Buffer.from([0x80, 2, 0x7d])), 'x.jsonl.gz', /Python pickle/],
    ['a zip (.npz, .pt)', Buffer.from('PK\u0003\u0004abc'), 'x.npz', /zip archive/],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'x.jsonl', /UTF-16/],
    ['a Git LFS pointer', Buffer.from('version https://git-lfs.github.com/spec/v1\n'), 'x.jsonl', /LFS/],
    ['a text file', Buffer.from('a b\n'), 'x.txt', /only .jsonl, .json, .csv/],
    ['an empty file', Buffer.alloc(0), 'x.jsonl', /the file is empty/],
    ['an empty file, packed', gzipSync(''), 'x.jsonl.gz', /the file is empty/],
    ['blank lines only', Buffer.from('\n \n'), 'x.jsonl', /no rows/],
    ['an empty array', Buffer.from('[]'), 'x.json', /no rows/],
    ['cut gzip', gzipSync(jsonl(pairs(50))).subarray(0, 60), 'x.jsonl.gz', /damaged gzip/],
  ])('%s is refused with a way out', async (_, content, name, message) => {
    const failure = readExamples(dataFile(content, name))
    await expect(failure).rejects.toThrow(message)
    await expect(failure).rejects.toMatchObject({ exitCode: 2, hint: expect.any(String) })
  })

  test('of a folder what clha wrote beside data is no data; named, or named after nothing there, it is read', async () => {
    const data = dataFile(jsonl([pair(1)]), 'prefs.jsonl')
    const folder = dirname(data)
    const put = (name: string, n: number) => writeFileSync(join(folder, name), jsonl([pair(n)]))
    put('prefs.jsonl.dropped.jsonl', 2)
    put('prefs.relabels.jsonl', 3)
    put('others.relabels.jsonl', 4)
    writeFileSync(join(folder, 'prefs.jsonl.report.json'), '{\n  "command": "data convert"\n}\n')
    mkdirSync(join(folder, 'splits'))
    put('splits/train.jsonl', 5)
    put('splits.report.json', 6)
    const read = async (path: string) => (await readExamples(path)).examples.map(({ prompt }) => prompt)
    expect(await read(folder)).toEqual(['question 4', 'question 1', 'question 5'])
    expect(await read(join(folder, 'prefs.relabels.jsonl'))).toEqual(['question 3'])
  })

  test('a missing path and a folder without data are errors', async () => {
    await expect(readExamples('no/such/file.jsonl')).rejects.toThrow('no/such/file.jsonl: no such file')
    await expect(readExamples(dirname(dataFile('x', 'notes.txt')))).rejects.toThrow(
      'no data file in this folder',
    )
  })
})

describe('structural faults', () => {
  const bad = `${jsonl([pair(1)])}\n{"cut": \n${jsonl([pair(2)])}[1]\n`

  test('stop with line, byte and reason of each', async () => {
    const file = dataFile(bad)
    const offset = jsonl([pair(1)]).length + 1
    await expect(readExamples(file)).rejects.toThrow(`${file}:3 (byte ${offset}): not JSON`)
    await expect(readExamples(file)).rejects.toThrow(`${file}:5`)
  })

  test('skipBad tolerates that many and reports them', async () => {
    const file = dataFile(bad)
    await expect(readExamples(file, { skipBad: 1 })).rejects.toThrow('2 of the first 4 rows')
    for (const skipBad of [2, true]) {
      const { examples, report } = await readExamples(file, { skipBad })
      expect(examples.map((example) => example.row)).toEqual([1, 4])
      expect(report.faults.map(({ row, kind, code }) => [row, kind, code])).toEqual([
        [3, 'structural', 'bad_json'],
        [5, 'structural', 'not_an_object'],
      ])
    }
  })

  test('the first 20 are listed', async () => {
    const failure = await readExamples(dataFile('x\n'.repeat(100))).catch((error: ClhaError) => error)
    expect(failure).toBeInstanceOf(ClhaError)
    expect((failure as ClhaError).message.match(/not JSON/g)?.length).toBe(20)
  })

  test('one bad element of a JSON array costs one row', async () => {
    const file = dataFile(`[${JSON.stringify(pair(1))}, {"a":1,"a":2}, ${JSON.stringify(pair(3))}]`, 'x.json')
    const { report } = await readExamples(file, { skipBad: 1 })
    expect([report.rows, report.kept, report.faults[0].row, report.faults[0].code]).toEqual([
      3,
      2,
      2,
      'duplicate_key',
    ])
  })

  test('a file with nothing readable is an error even when bad rows are tolerated', async () => {
    await expect(readExamples(dataFile('x\n'), { skipBad: true })).rejects.toThrow('no row could be read')
  })
})

describe('content faults', () => {
  const empty = { prompt: 'q', chosen: ' ', rejected: 'b' }
  const same = { prompt: 'q', chosen: 'b', rejected: ' b' }

  test('are dropped, listed and counted', async () => {
    const { examples, report } = await readExamples(dataFile(jsonl([...pairs(40), empty, same])))
    expect(examples.length).toBe(40)
    expect(report.faults.map(({ row, kind, code }) => [row, kind, code])).toEqual([
      [41, 'content', 'empty_answer'],
      [42, 'content', 'identical_answers'],
    ])
  })

  test('above the tolerated share reading stops', async () => {
    const file = dataFile(jsonl([...pairs(9), empty]))
    await expect(readExamples(file)).rejects.toThrow('1 of 10 rows (10.0 %)')
    expect((await readExamples(file, { maxDropped: 0.1 })).report.kept).toBe(9)
  })

  test('a larger share is advised only where it would help', async () => {
    const hint = (rows: object[], maxDropped: number) =>
      readExamples(dataFile(jsonl(rows)), { maxDropped }).catch((error: ClhaError) => error.hint)
    expect(await hint([...pairs(9), empty], 0.05)).toBe('Look at the rows, or raise max_dropped (now 5.0 %).')
    expect(await hint([empty, same], 1)).toBe('Look at the rows: none of them can be used.')
  })

  test('lists of one answer pass for supervised fine-tuning only', async () => {
    const file = dataFile(jsonl([{ prompt: 'q', completion: 'a' }]))
    await expect(readExamples(file)).rejects.toThrow('1 answer, at least 2 needed')
    expect((await readExamples(file, { minCandidates: 1 })).examples[0].candidates).toEqual([{ text: 'a' }])
  })

  test.each([1, 2, 3, 4])(
    '%i different answers with equal rewards and no preference are legal',
    async (n) => {
      const completions = Array.from({ length: n }, (_, i) => `answer ${i}`)
      const file = dataFile(jsonl([{ prompt: 'q', completions, rewards: completions.map(() => -1) }]))
      const { examples } = await readExamples(file, { minCandidates: 1 })
      expect(examples[0].candidates.length).toBe(n)
      expect(examples[0].preferences).toEqual([])
    },
  )
})

describe('ids, sources, prompts, options', () => {
  test('an id that stands twice names both lines', async () => {
    const file = dataFile(jsonl([{ ...pair(1), id: 'a' }, pair(2), { ...pair(3), id: 'a' }]))
    await expect(readExamples(file)).rejects.toThrow(`"a" stands twice: ${file}:1 and ${file}:3`)
  })

  test('whole numbers are ids, others are refused', async () => {
    const file = dataFile(
      jsonl([
        { ...pair(1), id: 7 },
        { ...pair(2), id: 7.5 },
      ]),
    )
    const { examples, report } = await readExamples(file, { skipBad: true })
    expect([examples[0].id, report.faults[0].code]).toEqual(['7', 'wrong_type'])
  })

  test('source: the folder of an HH file, a column, or the stem of the file', async () => {
    const hh = { chosen: transcript('Hi', 'a'), rejected: transcript('Hi', 'b') }
    const file = dataFile('', 'unused')
    mkdirSync(join(dirname(file), 'harmless-base'))
    const inside = join(dirname(file), 'harmless-base', 'test.jsonl')
    writeFileSync(inside, jsonl([hh, { ...hh, source: 'mine' }, { ...pair(1), subset: 'sub' }, pair(2)]))
    const { examples, report } = await readExamples(inside)
    expect(examples.map((example) => example.source)).toEqual(['harmless-base', 'mine', 'sub', 'test'])
    expect(report.duplicatePrompts).toBe(1)
  })

  test('columns are renamed, a format can be forced, and reading can be limited', async () => {
    const file = dataFile(
      jsonl(pairs(5).map(({ prompt, chosen, rejected }) => ({ q: prompt, a: chosen, b: rejected }))),
    )
    const columns = { prompt: 'q', chosen: 'a', rejected: 'b' }
    const { examples, report } = await readExamples(file, { columns, limit: 2 })
    expect([examples.length, report.rows, examples[1].prompt]).toEqual([2, 2, 'question 2'])
    await expect(readExamples(file)).rejects.toThrow('columns found: q, a, b')
    await expect(readExamples(file, { columns: { prompt: 'none' } })).rejects.toThrow('no column "none"')
    await expect(readExamples(file, { columns, format: 'hh' })).rejects.toThrow('nothing to learn from')
    await expect(readExamples(file, { format: 'odd' })).rejects.toThrow('no data format "odd"')
  })
})

describe('property: kept + faults = rows, whatever bytes are broken', () => {
  const whole = Buffer.from(
    jsonl([...pairs(12), { chosen: transcript('é😀', 'a'), rejected: transcript('é😀', 'b') }]),
  )
  const random = createRandom(17)
  const corrupt = () => {
    const bytes = [...whole]
    for (let i = random.int(6) + 1; i > 0; i--) {
      const at = random.int(bytes.length)
      const how = random.int(4)
      if (how === 0) bytes[at] = random.int(256)
      else if (how === 1) bytes.splice(at, random.int(60) + 1)
      else if (how === 2) bytes.splice(at, 0, random.pick([10, 13, 34, 44, 92, 123, 125, 0xff]))
      else bytes.splice(at, 0, ...bytes.slice(at, at + random.int(80)))
    }
    return Buffer.from(bytes)
  }

  test('500 corrupted files as lines and as an array', async () => {
    const file = dataFile(whole)
    const array = dataFile('', 'rows.json')
    let broken = 0
    for (let i = 0; i < 500; i++) {
      const bytes = corrupt()
      writeFileSync(file, bytes)
      const lines = bytes
        .toString('latin1')
        .split('\n')
        .filter((line) => /[^ \t\r]/.test(line)).length
      const options = { skipBad: true, maxDropped: 1 }
      const result = await readExamples(file, options)
      expect(result.report.rows).toBe(lines)
      for (const { report, examples } of [result, await asArray(array, bytes, options)]) {
        expect(report.kept + report.faults.length).toBe(report.rows)
        expect(examples.length).toBe(report.kept)
        broken += report.faults.length
      }
    }
    expect(broken).toBeGreaterThan(500)
  })

  async function asArray(file: string, bytes: Buffer, options: { skipBad: boolean; maxDropped: number }) {
    const rows = Buffer.from(bytes.toString('latin1').replaceAll('}\n{', '},\n{'), 'latin1')
    writeFileSync(file, Buffer.concat([Buffer.from('['), rows, Buffer.from(']')]))
    return readExamples(file, options).catch((error: ClhaError) => {
      expect(error.message).toMatch(/no row could be read/)
      return { examples: [], report: { kept: 0, faults: [] as unknown[], rows: 0 } }
    })
  }
})

test('10^5 short lines are read in bounded time', async () => {
  const line = `${JSON.stringify(pair(1))}\n`
  const { report } = await readExamples(dataFile(line.repeat(100_000)), { limit: 100_000 })
  expect([report.rows, report.duplicatePrompts]).toEqual([100_000, 99_999])
})
