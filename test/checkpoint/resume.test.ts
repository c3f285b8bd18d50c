import { expect, test } from 'vitest'
import { serializeManifest } from '../../src/checkpoint/policy/manifest.js'
import { listCheckpoints } from '../../src/checkpoint/policy/names.js'
import { newestValid, requireValid } from '../../src/checkpoint/policy/resume.js'
import { verifyCheckpoint } from '../../src/checkpoint/policy/verify.js'
import { readWhole, removeTree } from '../../src/files/storage.js'
import { RUN, save } from '../helpers/checkpoints.js'
import { thrown } from '../helpers/folders.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

function withSteps(...steps: number[]): MemoryStorage {
  const storage = new MemoryStorage()
  for (const step of steps) save(storage, step)
  return storage
}

const manifestPath = (step: number) => `${RUN}/checkpoint-${step}/manifest.json`

test('checkpoints are listed newest first by number, and other names are not checkpoints', () => {
  const storage = withSteps(9, 100, 20)
  for (const name of ['checkpoint-07', 'checkpoint-x', 'checkpoint--1', '.tmp-1-3', 'best'])
    storage.mkdir(`${RUN}/${name}`)
  storage.create(`${RUN}/checkpoint-500`).close()
  expect(listCheckpoints(storage, RUN).map(({ step }) => step)).toEqual([100, 20, 9])
  expect(listCheckpoints(storage, '/none')).toEqual([])
})

test('the newest checkpoint is chosen if it is valid', () => {
  expect(newestValid(withSteps(1, 2), RUN)).toMatchObject({ step: 2, rejected: [], manifest: { step: 2 } })
})

test('a run without checkpoints has none to resume from, which is no error', () => {
  const storage = new MemoryStorage()
  storage.mkdir(RUN)
  expect(newestValid(storage, RUN)).toBeUndefined()
  expect(newestValid(storage, '/none')).toBeUndefined()
})

test('damaged checkpoints are passed over, each with its reason', () => {
  const storage = withSteps(1, 2, 3, 4)
  removeTree(storage, manifestPath(4))
  storage.damage(`${RUN}/checkpoint-3/model.safetensors`, Buffer.alloc(600))
  removeTree(storage, `${RUN}/checkpoint-2/training_state.json`)
  const chosen = newestValid(storage, RUN)
  expect(chosen?.step).toBe(1)
  expect(chosen?.rejected.map(({ step, reason }) => [step, reason])).toEqual([
    [4, 'no manifest.json: the save was not finished'],
    [3, 'model.safetensors: its bytes are not the ones that were saved'],
    [2, 'training_state.json is missing'],
  ])
})

test('if none is valid, exit 7 lists them all', () => {
  const storage = withSteps(1, 2)
  removeTree(storage, manifestPath(1))
  storage.damage(`${RUN}/checkpoint-2/model.safetensors`, Buffer.alloc(10))
  const error = thrown(() => newestValid(storage, RUN))
  expect(error.exitCode).toBe(7)
  expect(error.message).toContain('checkpoint-2: model.safetensors: expected 600 bytes, found 10')
  expect(error.message).toContain('checkpoint-1: no manifest.json')
})

test('a checkpoint that the user named is taken or refused, never replaced by another', () => {
  const storage = withSteps(1, 2)
  expect(requireValid(storage, `${RUN}/checkpoint-1`).step).toBe(1)
  removeTree(storage, manifestPath(2))
  expect(thrown(() => requireValid(storage, `${RUN}/checkpoint-2`)).exitCode).toBe(7)
})

test('a manifest of another step is refused', () => {
  const storage = withSteps(1, 2)
  storage.damage(manifestPath(2), readWhole(storage, manifestPath(1)))
  expect(verifyCheckpoint(storage, `${RUN}/checkpoint-2`).reason).toBe('manifest.json belongs to step 1')
})

test.each([
  ['not JSON', '{', 'manifest.json is not valid JSON'],
  ['a list', '[]', 'manifest.json is not an object'],
  ['null', 'null', 'manifest.json is not an object'],
  ['another format', '{"format":"x"}', 'manifest.json is not in the format clha-checkpoint/1'],
  ['a later format', '{"format":"clha-checkpoint/2"}', 'use the version of clha that wrote it'],
  ['no files', '{"format":"clha-checkpoint/1","step":2,"config_sha256":""}', 'lacks step'],
  [
    'a path',
    '{"format":"clha-checkpoint/1","step":2,"config_sha256":"","files":{"../x":{}}}',
    'bad entry "../x"',
  ],
  [
    'no hash',
    '{"format":"clha-checkpoint/1","step":2,"config_sha256":"","files":{"x":{"bytes":1}}}',
    'bad entry "x"',
  ],
  ['unsigned', '{"format":"clha-checkpoint/1","step":2,"config_sha256":"","files":{}}', 'was changed'],
])('a manifest that is %s is refused', (_, text, reason) => {
  const storage = withSteps(2)
  storage.damage(manifestPath(2), Buffer.from(text))
  expect(verifyCheckpoint(storage, `${RUN}/checkpoint-2`).reason).toContain(reason)
})

test('a manifest is closed by its own hash: an edited one is refused even if it is well formed', () => {
  const storage = withSteps(2)
  const text = readWhole(storage, manifestPath(2)).toString()
  storage.damage(manifestPath(2), Buffer.from(text.replace('cccc', 'dddd')))
  expect(verifyCheckpoint(storage, `${RUN}/checkpoint-2`).reason).toContain('was changed')
  const { manifest_sha256: _, ...manifest } = JSON.parse(text)
  expect(serializeManifest(manifest)).toBe(text)
})
