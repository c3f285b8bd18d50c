import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openModelFiles } from '../../src/checkpoint/format/sharded-model.js'
import { DiskStorage } from '../../src/files/storage.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { writeSafetensors } from '../helpers/safetensors.js'

const shard = (folder: string, file: string, tensors: Record<string, number>) =>
  writeSafetensors(
    new DiskStorage(),
    join(folder, file),
    Object.entries(tensors).map(([name, value]) => ({
      name,
      dtype: 'U8',
      shape: [1],
      bytes: Uint8Array.of(value),
    })),
    { format: 'pt' },
  )

const index = (folder: string, weightMap: Record<string, unknown>) =>
  fs.writeFileSync(
    join(folder, 'model.safetensors.index.json'),
    JSON.stringify({ metadata: { total_size: 2 }, weight_map: weightMap }),
  )

const FIRST = 'model-00001-of-00002.safetensors'
const SECOND = 'model-00002-of-00002.safetensors'

function sharded(): string {
  const folder = temporaryFolder()
  shard(folder, FIRST, { a: 1 })
  shard(folder, SECOND, { b: 2 })
  index(folder, { a: FIRST, b: SECOND })
  return folder
}

function read(folder: string, name: string): number {
  const model = openModelFiles(folder)
  const target = new Uint8Array(1)
  model.readInto(name, target)
  model.close()
  return target[0]
}

test('a single file is one view', () => {
  const folder = temporaryFolder()
  shard(folder, 'model.safetensors', { a: 7 })
  expect(read(folder, 'a')).toBe(7)
})

test('shards are one view, each tensor read from its own file', () => {
  const folder = sharded()
  const model = openModelFiles(folder)
  expect([...model.entries.keys()]).toEqual(['a', 'b'])
  expect(model.files).toEqual([join(folder, FIRST), join(folder, SECOND)])
  expect(model.metadata.get('format')).toBe('pt')
  expect(thrown(() => model.readInto('c', new Uint8Array(1))).message).toContain('no tensor "c"')
  model.close()
  expect([read(folder, 'a'), read(folder, 'b')]).toEqual([1, 2])
})

test('a missing shard is named', () => {
  const folder = sharded()
  fs.unlinkSync(join(folder, SECOND))
  const error = thrown(() => openModelFiles(folder))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain(`${SECOND}: missing`)
})

test('a cut shard is named with the bytes expected and found', () => {
  const folder = sharded()
  const path = join(folder, SECOND)
  const bytes = fs.statSync(path).size
  fs.truncateSync(path, bytes - 1)
  expect(thrown(() => openModelFiles(folder)).message).toContain(`${SECOND}: tensor "b"`)
  expect(thrown(() => openModelFiles(folder)).message).toContain(
    `expected ${bytes} bytes, found ${bytes - 1}`,
  )
})

test('a tensor that the index lists and the shard lacks is named', () => {
  const folder = sharded()
  index(folder, { a: FIRST, b: SECOND, c: SECOND })
  expect(thrown(() => openModelFiles(folder)).message).toContain(`${SECOND}: no tensor "c"`)
})

test.each(['../other.safetensors', '/etc/passwd', 'sub/x.safetensors', 'model.bin', 5])(
  'an index can not point to %s',
  (shardName) => {
    const folder = sharded()
    index(folder, { a: shardName })
    expect(thrown(() => openModelFiles(folder)).exitCode).toBe(2)
  },
)

test.each(['', '{', '[]', '{"weight_map":[]}'])('an index that reads %j is refused', (text) => {
  const folder = sharded()
  fs.writeFileSync(join(folder, 'model.safetensors.index.json'), text)
  expect(thrown(() => openModelFiles(folder)).exitCode).toBe(2)
})

test.each(['pytorch_model.bin', 'model.pt', 'model.pth', 'last.ckpt'])(
  'only a pickle, %s: refused with the way to convert it',
  (name) => {
    const folder = temporaryFolder()
    fs.writeFileSync(join(folder, name), 'PK\x03\x04')
    const error = thrown(() => openModelFiles(folder))
    expect(error.exitCode).toBe(2)
    expect(error.message).toContain(name)
    expect(error.hint).toContain(`torch.load("${name}"`)
    expect(error.hint).toContain('save_file')
  },
)

test('an empty folder and no folder', () => {
  const folder = temporaryFolder()
  expect(thrown(() => openModelFiles(folder)).message).toContain('no model.safetensors')
  expect(thrown(() => openModelFiles(join(folder, 'none'))).message).toContain('no such folder')
})

const fixture = new URL('../fixtures/clha/model/', import.meta.url).pathname
test.skipIf(!fs.existsSync(fixture))(
  'files that the Python library wrote are read (skipped without fixtures)',
  () => {
    const model = openModelFiles(fixture, 'gradients.safetensors')
    expect(model.entries.size).toBeGreaterThan(0)
    for (const [name, { begin, end }] of model.entries) model.readInto(name, new Uint8Array(end - begin))
    model.close()
  },
)
