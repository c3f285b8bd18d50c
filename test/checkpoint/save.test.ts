import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { jsonFile, safetensorsFile, textFile } from '../../src/checkpoint/format/save-file.js'
import { requireValid } from '../../src/checkpoint/policy/resume.js'
import { saveCheckpoint } from '../../src/checkpoint/policy/save.js'
import { verifyCheckpoint } from '../../src/checkpoint/policy/verify.js'
import { DiskStorage } from '../../src/files/storage.js'
import { filesOf, holds, RUN, save } from '../helpers/checkpoints.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { FaultyStorage, type Operation } from '../helpers/storage-faulty.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

const info = { configSha256: 'c'.repeat(64), pause: () => {} }

test('a checkpoint on the disk has its files, a manifest, and nothing left beside it', () => {
  const runDir = join(temporaryFolder(), 'runs', 'one')
  const weights = { name: 'w', dtype: 'F32' as const, shape: [2], bytes: new Uint8Array(8) }
  const files = [safetensorsFile('model.safetensors', [weights]), jsonFile('config.json', { a: 1 })]
  const saved = saveCheckpoint(new DiskStorage(), runDir, 120, files, { ...info, readBack: true })
  expect(saved.path).toBe(join(runDir, 'checkpoint-120'))
  expect(saved.bytes).toBe(files[0].bytes + files[1].bytes)
  expect(fs.readdirSync(runDir)).toEqual(['checkpoint-120'])
  expect(fs.readdirSync(saved.path)).toEqual(['config.json', 'manifest.json', 'model.safetensors'])
  expect(requireValid(new DiskStorage(), saved.path).step).toBe(120)
})

test('the order of the protocol: files fsynced, manifest last, folder, rename, parent', () => {
  const storage = new FaultyStorage(new MemoryStorage(), () => undefined)
  save(storage, 120)
  const staging = `${RUN}/.tmp-${process.pid}-120`
  const order = storage.operations
    .filter(({ name }: Operation) => ['create', 'sync', 'close', 'fsyncDir', 'rename'].includes(name))
    .map(({ name, path }) => `${name} ${path.replace(staging, 'TMP')}`)
  const file = (name: string) => [`create TMP/${name}`, `sync TMP/${name}`, `close TMP/${name}`]
  expect(order).toEqual([
    'fsyncDir /',
    ...file('model.safetensors'),
    ...file('training_state.json'),
    ...file('manifest.json'),
    'fsyncDir TMP',
    'rename TMP',
    `fsyncDir ${RUN}`,
  ])
})

test('without room for 1.2 times the size nothing is touched, and the missing bytes are told', () => {
  const storage = new MemoryStorage(700)
  const error = thrown(() => save(storage, 1))
  expect(error.exitCode).toBe(4)
  expect(error.message).toContain(
    `${RUN}/checkpoint-1: the disk is full: 32 bytes more are needed to save 610 bytes`,
  )
  expect(storage.list(RUN)).toEqual([])
})

test('a file that gives other bytes than announced is a bug, and no checkpoint comes of it', () => {
  const storage = new MemoryStorage()
  const file = { ...textFile('a.json', '{}'), bytes: 3 }
  expect(() => saveCheckpoint(storage, RUN, 1, [file], info)).toThrow('announced 3 bytes, gave 2')
  expect(storage.list(RUN)).toEqual([])
})

test.each(['manifest.json', '../a', 'a/b', '.hidden', ''])('%j can not be a file of a checkpoint', (name) => {
  expect(() => saveCheckpoint(new MemoryStorage(), RUN, 1, [textFile(name, 'x')], info)).toThrow(
    "can't be a file",
  )
})

test('saving a step again replaces its checkpoint', () => {
  const storage = new MemoryStorage()
  save(storage, 5)
  saveCheckpoint(storage, RUN, 5, [textFile('other.json', '{}')], info)
  expect(storage.list(RUN)).toEqual(['checkpoint-5'])
  expect(storage.list(`${RUN}/checkpoint-5`)).toEqual(['manifest.json', 'other.json'])
  expect(verifyCheckpoint(storage, `${RUN}/checkpoint-5`).reason).toBeUndefined()
})

test('if the new checkpoint of a step can not be named, the old one gets its name back', () => {
  const inner = new MemoryStorage()
  save(inner, 5)
  let renames = 0
  const storage = new FaultyStorage(inner, ({ name }) =>
    name === 'rename' && ++renames === 2 ? { errno: 'EACCES' } : undefined,
  )
  expect(thrown(() => saveCheckpoint(storage, RUN, 5, filesOf(6), info)).exitCode).toBe(4)
  expect(inner.list(RUN)).toEqual(['checkpoint-5'])
  expect(holds(inner, `${RUN}/checkpoint-5`, 5)).toBe(true)
})

test('transient errors are tried again three times, with growing pauses', () => {
  const pauses: number[] = []
  let failures = 3
  const storage = new FaultyStorage(new MemoryStorage(), ({ name }) =>
    name === 'write' && failures-- > 0 ? { errno: 'EIO' } : undefined,
  )
  saveCheckpoint(storage, RUN, 1, filesOf(1), { ...info, pause: (ms) => pauses.push(ms) })
  expect(pauses).toEqual([100, 400, 1600])
  expect(holds(storage, `${RUN}/checkpoint-1`, 1)).toBe(true)
})

test('a failed fsync is never tried again', () => {
  const storage = new FaultyStorage(new MemoryStorage(), ({ name }) =>
    name === 'sync' ? { errno: 'EIO' } : undefined,
  )
  expect(thrown(() => save(storage, 1)).message).toContain('fsync of')
  expect(storage.operations.filter(({ name }) => name === 'sync')).toHaveLength(1)
  expect(storage.list(RUN)).toEqual([])
})

test('reading back finds bytes that the disk changed, before the checkpoint has a name', () => {
  const inner = new MemoryStorage()
  const storage = new FaultyStorage(inner, ({ name, path }) => {
    const weights = path.replace('manifest.json', 'model.safetensors')
    if (name === 'close' && path.endsWith('manifest.json')) inner.damage(weights, Buffer.alloc(600))
    return undefined
  })
  const error = thrown(() => saveCheckpoint(storage, RUN, 1, filesOf(1), { ...info, readBack: true }))
  expect(error.message).toContain('read back differently')
  expect(inner.list(RUN)).toEqual([])
})
