import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DiskStorage, readWhole, type Storage } from '../../src/files/storage.js'
import { openWhole, replaceFile, streamWhole, writeFolder, writeWhole } from '../../src/files/whole.js'
import type { RankedList } from '../../src/rescore/ranked.js'
import { writeRankedJsonl } from '../../src/rescore/ranked-jsonl.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Crash, FaultyStorage } from '../helpers/storage-faulty.js'
import { MemoryStorage, type PowerLoss } from '../helpers/storage-memory.js'

const list = (id: string): RankedList => ({
  example: {
    id,
    prompt: 'p',
    source: 's',
    file: 'f.jsonl',
    row: 1,
    candidates: [{ text: 'good' }, { text: 'bad' }],
    preferences: [{ better: 0, worse: 1 }],
  },
  rewards: [1, 0],
  order: [0, 1],
  pairs: [{ better: 0, worse: 1, distance: 1, belief: 0.7, weight: 1 }],
  sft: { index: 0, weight: 1 },
  labels: [{ better: 0, worse: 1, verdict: 'kept', belief: 0.7 }],
})

const text = (storage: Storage, path: string) => readWhole(storage, path).toString()
const never = () => undefined
const LOSSES: PowerLoss[] = ['data', 'entries', 'prefix', 'both']

/** Every way to put a whole file in place of an old one, through the storage that is given. */
const WRITERS: [string, (storage: Storage, path: string) => undefined | Promise<unknown>][] = [
  ['replaceFile', (storage, path) => void replaceFile(storage, path, [Buffer.from('new')])],
  ['streamWhole', (storage, path) => streamWhole(path, async (write) => write('new'), storage)],
  ['rescored lists', (storage, path) => writeRankedJsonl(path, [list('a'), list('b')], storage)],
]

describe.each(WRITERS)('%s', (_, writeTo) => {
  test('the content is fsynced before the file gets its name, and the name after', async () => {
    const storage = new FaultyStorage(new MemoryStorage(), never)
    await writeTo(storage, '/rescored.jsonl')
    const names = storage.operations.map(({ name }) => name)
    const order = names.filter((name) => ['write', 'sync', 'rename', 'fsyncDir'].includes(name))
    expect(order.slice(order.lastIndexOf('write'))).toEqual(['write', 'sync', 'rename', 'fsyncDir'])
  })

  test('after a power loss at any operation the old file is there, or the new one, and no part of one', async () => {
    const whole = new MemoryStorage()
    await writeTo(whole, '/x')
    const [old, fresh] = ['old content', text(whole, '/x')]
    const seen = new Set<string>()
    for (let at = 1, done = false; !done; at++) {
      const memory = new MemoryStorage()
      replaceFile(memory, '/x', [Buffer.from(old)])
      const faulty = new FaultyStorage(memory, ({ index }) => (index === at ? { crash: 'after' } : undefined))
      try {
        await writeTo(faulty, '/x')
        done = true
      } catch (error) {
        expect(error).toBeInstanceOf(Crash)
      }
      for (const loss of LOSSES) seen.add(text(memory.afterPowerLoss(loss, at), '/x'))
      if (done) expect(text(memory.afterPowerLoss('both', at), '/x')).toBe(fresh)
    }
    expect([...seen].sort()).toEqual([fresh, old].sort())
  })

  test('an error leaves the old file alone and nothing beside it', async () => {
    for (const failing of ['write', 'sync', 'rename'] as const) {
      const memory = new MemoryStorage()
      replaceFile(memory, '/x', [Buffer.from('old')])
      const faulty = new FaultyStorage(memory, ({ name }) =>
        name === failing ? { errno: 'ENOSPC' } : undefined,
      )
      await expect((async () => writeTo(faulty, '/x'))()).rejects.toThrow('ENOSPC')
      expect(memory.list('/')).toEqual(['x'])
      expect(text(memory, '/x')).toBe('old')
    }
  })
})

test('a file in pieces has its name when it is finished; what was written before an error can be kept', () => {
  const path = join(temporaryFolder(), 'x')
  const file = openWhole(path)
  file.write('é')
  file.write(Uint8Array.of(10))
  expect(fs.existsSync(path)).toBe(false)
  expect(fs.readFileSync(`${path}.partial`, 'utf8')).toBe('é\n')
  file.abandon(true)
  expect(fs.readFileSync(`${path}.partial`, 'utf8')).toBe('é\n')
  const again = openWhole(path)
  again.write('b')
  again.finish()
  expect(fs.readFileSync(path, 'utf8')).toBe('b')
  openWhole(path).abandon()
  expect(fs.readdirSync(join(path, '..'))).toEqual(['x'])
})

test('writeWhole replaces a file on the disk and gives its path', () => {
  const path = join(temporaryFolder(), 'x')
  expect(writeWhole(path, 'one')).toBe(path)
  writeWhole(path, 'two')
  expect(fs.readFileSync(path, 'utf8')).toBe('two')
  expect(fs.readdirSync(join(path, '..'))).toEqual(['x'])
})

test('a folder appears with all its files or not at all', () => {
  const folder = join(temporaryFolder(), 'deeper', 'model')
  const file = (path: string) => ({ path, chunks: () => [Buffer.from(path)] })
  const disk = new DiskStorage()
  const broken = {
    path: 'b',
    chunks: (): Iterable<Uint8Array> => {
      throw new Error('no tensor')
    },
  }
  expect(() => writeFolder(disk, folder, [file('a'), broken])).toThrow('no tensor')
  expect(fs.readdirSync(join(folder, '..'))).toEqual([])
  writeFolder(disk, folder, [file('a'), file('b')])
  expect(fs.readdirSync(folder)).toEqual(['a', 'b'])
  expect(fs.readFileSync(join(folder, 'b'), 'utf8')).toBe('b')
})
