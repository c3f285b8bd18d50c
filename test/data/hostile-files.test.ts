/** Damaged and hostile files: every one ends with exit code 2 and its name, none with a stack, and none is waited for. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import { parseSource, readSource } from '../../src/config/source.js'
import { unzstd } from '../../src/data/read/compression.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { knownError } from '../../src/errors.js'
import { makeFolder } from '../../src/files/folder.js'
import { readJsonObject } from '../../src/files/json.js'
import { systemError } from '../../src/files/storage-error.js'
import { readRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { dataFile } from './files.js'
import { pairColumns, parquet } from './parquet.js'
import { rawFrame } from './zstd.js'

const CASES = '../shared/cases/hostile-files'
const cases = existsSync(CASES) ? readdirSync(CASES) : []
const parquetCases = cases.filter((name) => name.endsWith('.parquet') && name !== 'crc.parquet')
const unhandled: unknown[] = []
const note = (error: unknown) => unhandled.push(error)

beforeAll(() => void process.on('unhandledRejection', note))
afterAll(() => void process.off('unhandledRejection', note))

/** The error in words, once everything that was started has come to its end. */
async function refusal(file: string) {
  const error = await readExamples(file).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  await new Promise((done) => setTimeout(done, 5))
  expect(unhandled).toEqual([])
  expect(error).toMatchObject({ exitCode: 2, hint: expect.any(String) })
  return (error as Error).message
}

describe.runIf(cases.length > 0)('recorded files', () => {
  test.each(parquetCases)('%s', async (name) => {
    expect(await refusal(join(CASES, name))).toContain(`${name}: `)
  })

  test('a changed byte of a page with a checksum is found; the whole file is read', async () => {
    expect(await refusal(join(CASES, 'crc-bad.parquet'))).toContain(
      'the checksum of a page of "chosen" does not fit',
    )
    expect((await readExamples(join(CASES, 'crc.parquet'))).report.kept).toBe(50)
  })

  test('a zstd window of 1 GiB', async () => {
    expect(await refusal(join(CASES, 'zwin.jsonl.zst'))).toContain(
      'a window of 1024 MiB; the limit is 128 MiB',
    )
  })

  test('a zstd frame whose checksum is wrong: what its rows became is told, or the checksum', async () => {
    expect(await refusal(join(CASES, 'zsum-bad.jsonl.zst'))).toContain(
      'zsum-bad.jsonl.zst:1 (byte 0): not JSON',
    )
    const file = join(CASES, 'zsum-bad.jsonl.zst')
    const unpack = async () => {
      for await (const _ of unzstd('x.zst', chunked(readFileSync(file), 1000)));
    }
    await expect(unpack()).rejects.toThrow("x.zst: damaged zstd: a frame's checksum is wrong")
  })

  test.each(cases.filter((name) => /^crash-.*json$/.test(name)))('%s', async (name) => {
    expect(await refusal(join(CASES, name))).toContain(`${name}:`)
  })

  test('a rescored file with bytes that are no UTF-8', async () => {
    const read = async () => {
      for await (const list of readRankedJsonl(join(CASES, 'ranked-utf8.jsonl'))) expect(list).toBeTruthy()
    }
    await expect(read()).rejects.toThrow(/ranked-utf8\.jsonl:\d+: not UTF-8/)
  })

  test('a rescored file with half a character', async () => {
    const [line] = readFileSync(join(CASES, 'ranked-utf8.jsonl')).toString('latin1').split('\n')
    const half = dataFile(`${line.replace('"text":"', '"text":"\\ud800')}\n`)
    const read = async () => {
      for await (const list of readRankedJsonl(half)) expect(list).toBeTruthy()
    }
    await expect(read()).rejects.toThrow(/:1: not JSON \(a text holds half a character\)/)
  })

  test.each(['alias.yaml', '1-637-c.yaml'])('%s names line and column', (name) => {
    const { issues } = parseSource(name, readFileSync(join(CASES, name), 'utf8'))
    expect(issues).toEqual([
      {
        where: expect.stringMatching(new RegExp(`^${name}:\\d+:\\d+$`)),
        text: expect.stringContaining('*amax'),
      },
    ])
  })
})

describe('Parquet', () => {
  test('every byte of the footer changed in turn ends with exit 2 or with rows', async () => {
    const whole = parquet(pairColumns(3))
    const start = whole.length - 8 - whole.readUInt32LE(whole.length - 8)
    for (let at = start; at < whole.length; at += 3) {
      const changed = Buffer.from(whole)
      changed[at] ^= 0x41
      const error = await readExamples(dataFile(changed, 'x.parquet')).catch((reason: unknown) => reason)
      if (error instanceof Error) expect([at, knownError(error)?.exitCode]).toEqual([at, 2])
    }
    await new Promise((done) => setTimeout(done, 5))
    expect(unhandled).toEqual([])
  })
})

describe('zstd', () => {
  test('a block at a time: output of one piece stays under 128 KiB however far it unpacks', async () => {
    // A header (window 128 KiB), then 200 blocks that repeat one byte 128 Ki times, in 4 bytes each.
    const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38])
    const block = (last: boolean) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUIntLE(((2 ** 17) << 3) | 2 | (last ? 1 : 0), 0, 3)
      bytes[3] = 0x61
      return bytes
    }
    const frame = Buffer.concat([header, ...Array.from({ length: 200 }, (_, i) => block(i === 199))])
    let total = 0
    for await (const piece of unzstd('x.zst', chunked(frame, 1000))) {
      expect(piece.length).toBeLessThanOrEqual(2 ** 17)
      total += piece.length
    }
    expect(total).toBe(200 * 2 ** 17)
  })

  test('a frame that needs a dictionary is refused, not read without it', async () => {
    const plain = rawFrame('abc')
    // The flag of a dictionary of one byte, and its number.
    const frame = Buffer.concat([plain.subarray(0, 4), Buffer.from([plain[4] | 1, 7]), plain.subarray(5)])
    const read = async () => {
      for await (const _ of unzstd('x.zst', chunked(frame, 1000)));
    }
    await expect(read()).rejects.toThrow('x.zst: zstd with a dictionary')
  })

  test.each([1, 7, 1000])('the checksum of each frame is looked at, in chunks of %i bytes', async (size) => {
    // XXH64 of "abc" with seed 0 is 44bc2cf5ad770999.
    const whole = rawFrame('abc', 0xad770999)
    const unpack = async (bytes: Buffer) => {
      const pieces: Buffer[] = []
      for await (const piece of unzstd('x.zst', chunked(bytes, size))) pieces.push(Buffer.from(piece))
      return Buffer.concat(pieces).toString()
    }
    expect(await unpack(Buffer.concat([whole, whole]))).toBe('abcabc')
    const changed = Buffer.concat([whole, whole])
    changed[changed.length - 6] ^= 1
    await expect(unpack(changed)).rejects.toThrow("x.zst: damaged zstd: a frame's checksum is wrong")
  })

  test.each([1, 7, 1000])('frames, skippable ones among them, in chunks of %i bytes', async (size) => {
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])
    const frames = Buffer.concat([rawFrame('one '.repeat(9)), skippable, rawFrame('two '.repeat(9))])
    const pieces: Buffer[] = []
    for await (const piece of unzstd('x.zst', chunked(frames, size))) pieces.push(Buffer.from(piece))
    expect(Buffer.concat(pieces).toString()).toBe('one '.repeat(9) + 'two '.repeat(9))
  })
})

async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('pipes and devices', () => {
  const fifo = (name: string) => {
    const path = join(mkdtempSync(join(tmpdir(), 'clha-fifo-')), name)
    execFileSync('mkfifo', [path])
    return path
  }

  test('are no data, no config, no JSON and no rescored file', async () => {
    const data = fifo('f.jsonl')
    expect(await refusal(data)).toBe(`${data}: a pipe or a device, not a file`)
    expect(await refusal('/dev/zero')).toBe('/dev/zero: a pipe or a device, not a file')
    await expect(readSource(fifo('c.yaml'))).rejects.toThrow('a pipe or a device, not a file')
    await expect(readSource('/dev/zero')).rejects.toThrow('a pipe or a device, not a file')
    expect(() => readJsonObject('/dev/zero')).toThrow('a pipe or a device, not a file')
  })
})

describe('configs', () => {
  test('a text that begins with * asks for quotes, at its line', () => {
    const { issues } = parseSource('c.yaml', 'seed: 1\nlora_target_modules: *proj\n')
    expect(issues).toEqual([{ where: 'c.yaml:2:22', text: expect.stringContaining('in quotes') }])
  })

  test('an alias of an anchor is resolved', () => {
    expect(parseSource('c.yaml', 'a: &x 1\nb: *x\n').values).toEqual({ a: 1, b: 1 })
  })

  test('aliases that multiply are refused', () => {
    const level = (name: string, before: string) => `${name}: &${name} [${`*${before}, `.repeat(9)}]\n`
    const names = [...'abcdefgh']
    const text = `a: &a [1]\n${names
      .slice(1)
      .map((name, i) => level(name, names[i]))
      .join('')}`
    expect(parseSource('c.yaml', text).issues.length).toBeGreaterThan(0)
  })

  test('bytes that are no UTF-8 are refused', async () => {
    await expect(readSource(dataFile(Buffer.from([0x61, 0x3a, 0x20, 0xff]), 'c.yaml'))).rejects.toThrow(
      'not UTF-8',
    )
  })
})

test('a safetensors header with more tensors than any model has is refused before it is parsed', () => {
  const one = (i: number) => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`
  const header = Buffer.from(`{${Array.from({ length: 200_001 }, (_, i) => one(i)).join(',')}}`)
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  const file = join(mkdtempSync(join(tmpdir(), 'clha-crowd-')), 'm.safetensors')
  writeFileSync(file, Buffer.concat([length, header]))
  expect(() => openSafetensors(file)).toThrow('200,001 tensors; the limit is 200,000')
})

describe('folders that cannot be made', () => {
  const folder = () => mkdtempSync(join(tmpdir(), 'clha-made-'))

  test('a read-only file system is named as that, however the system says it', () => {
    for (const code of ['EROFS', 'ENOENT']) {
      const refuse = (path: string) => {
        throw systemError(code, 'mkdir', path)
      }
      const path = join(folder(), 'a', 'b')
      let error: unknown
      try {
        makeFolder(path, refuse)
      } catch (reason) {
        error = reason
      }
      expect(knownError(error)).toMatchObject({ exitCode: 2, message: expect.stringContaining('read-only') })
    }
  })

  test.runIf(existsSync('/proc/self'))('/proc does not hang it', () => {
    expect(() => makeFolder('/proc/clha/out')).toThrow('EROFS')
  })

  test('parents are made, and one that is there is fine', () => {
    const path = join(folder(), 'a', 'b', 'c')
    makeFolder(path)
    makeFolder(path)
    expect(existsSync(path)).toBe(true)
  })
})
