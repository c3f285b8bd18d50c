import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { copiedFile } from '../../src/checkpoint/format/save-file.js'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { DiskStorage, ensureDir, readWhole, removeTree, type Storage } from '../../src/files/storage.js'
import { replaceFile, writeFile } from '../../src/files/whole.js'
import { save } from '../helpers/checkpoints.js'
import { temporaryFolder } from '../helpers/folders.js'
import { FaultyStorage } from '../helpers/storage-faulty.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

const disk = new DiskStorage()
const STORAGES: [string, () => { storage: Storage; root: string }][] = [
  ['disk', () => ({ storage: disk, root: temporaryFolder() })],
  ['memory', () => ({ storage: new MemoryStorage(), root: '/' })],
]

test.each(STORAGES)('%s: files are written once, read, renamed, listed and removed', (_, make) => {
  const { storage, root } = make()
  const folder = join(root, 'a', 'b')
  ensureDir(storage, folder)
  ensureDir(storage, folder)
  const chunks = [Buffer.from('abc'), new Uint8Array(0), Buffer.from('de')]
  const written = writeFile(storage, join(folder, 'x'), chunks)
  expect(written.bytes).toBe(5)
  // printf abcde | sha256sum
  expect(written.sha256).toBe('36bbe50ed96841d10443bcb670d6554f0a34b761be67ec9c4a8ad2c0c44ca42c')
  expect(() => storage.create(join(folder, 'x'))).toThrow('EEXIST')
  expect(() => storage.mkdir(folder)).toThrow('EEXIST')
  storage.rename(join(folder, 'x'), join(root, 'y'))
  expect(readWhole(storage, join(root, 'y')).toString()).toBe('abcde')
  expect(storage.stat(join(root, 'y'))).toEqual({ kind: 'file', bytes: 5 })
  expect(storage.list(root)).toEqual(['a', 'y'])
  expect(() => storage.remove(join(root, 'a'))).toThrow('ENOTEMPTY')
  removeTree(storage, join(root, 'a'))
  removeTree(storage, join(root, 'a'))
  expect(storage.stat(folder)).toBeUndefined()
  expect(storage.list(root)).toEqual(['y'])
  expect(() => storage.rename(folder, join(root, 'z'))).toThrow('ENOENT')
  expect(storage.freeBytes(root)).toBeGreaterThan(0)
})

test.each(STORAGES)('%s: replacing a file leaves the new content and nothing else', (_, make) => {
  const { storage, root } = make()
  replaceFile(storage, join(root, 'x'), [Buffer.from('old')])
  writeFile(storage, join(root, `.tmp-${process.pid}-x`), [Buffer.from('left by a crash')])
  replaceFile(storage, join(root, 'x'), [Buffer.from('new')])
  expect(storage.list(root)).toEqual(['x'])
  expect(readWhole(storage, join(root, 'x')).toString()).toBe('new')
})

test('no single write is larger than 64 MiB', () => {
  const sizes: number[] = []
  const handle = {
    write: (bytes: Uint8Array) => sizes.push(bytes.length) && bytes.length,
    sync() {},
    close() {},
  }
  const storage = Object.assign(new MemoryStorage(), { create: () => handle })
  writeFile(storage, '/x', [Buffer.alloc(2 ** 27 + 5)])
  expect(sizes).toEqual([2 ** 26, 2 ** 26, 5])
})

test('EINTR is tried again at once; a disk that takes nothing for ever is an error, no endless loop', () => {
  let interruptions = 3
  const interrupted = new FaultyStorage(new MemoryStorage(), ({ name }) =>
    name === 'write' && interruptions-- > 0 ? { errno: 'EINTR' } : undefined,
  )
  writeFile(interrupted, '/x', [Buffer.from('abc')])
  expect(readWhole(interrupted, '/x').toString()).toBe('abc')
  const stuck = Object.assign(new MemoryStorage(), {
    create: () => ({ write: () => 0, sync() {}, close() {} }),
  })
  expect(() => writeFile(stuck, '/x', [Buffer.from('abc')])).toThrow('EIO')
})

test('removing a folder does not follow the links in it', () => {
  const root = temporaryFolder()
  fs.mkdirSync(join(root, 'kept'))
  fs.writeFileSync(join(root, 'kept', 'file'), 'x')
  fs.mkdirSync(join(root, 'gone'))
  fs.symlinkSync(join(root, 'kept'), join(root, 'gone', 'link'))
  removeTree(disk, join(root, 'gone'))
  expect(fs.readdirSync(root)).toEqual(['kept'])
  expect(fs.readdirSync(join(root, 'kept'))).toEqual(['file'])
})

test('a run folder may be a link to another disk, and copied files links into a cache', () => {
  const root = temporaryFolder()
  fs.mkdirSync(join(root, 'real'))
  fs.symlinkSync(join(root, 'real'), join(root, 'run'))
  save(disk, 7, join(root, 'run'))
  expect(newestValid(disk, join(root, 'run'))?.step).toBe(7)
  fs.writeFileSync(join(root, 'blob'), 'tokenizer')
  fs.symlinkSync(join(root, 'blob'), join(root, 'tokenizer.json'))
  const file = copiedFile(disk, join(root, 'tokenizer.json'), 'tokenizer.json')
  expect([file.bytes, Buffer.concat([...file.chunks()]).toString()]).toEqual([9, 'tokenizer'])
  expect(() => copiedFile(disk, join(root, 'none'), 'x')).toThrow('no such file')
})
