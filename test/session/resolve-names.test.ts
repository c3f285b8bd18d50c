// Names on the hub in a config: what they become, what is recorded, what a resumed run does with them.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.js'
import { baseFolderOf } from '../../src/models/adapters/adapter-load.js'
import { resolveHubNames } from '../../src/session/names/resolve-names.js'
import { createUi } from '../../src/terminal/ui.js'
import { temporaryFolder } from '../helpers/folders.js'
import { runManifest } from '../helpers/run-manifest.js'
import { Sink } from '../helpers/sink.js'
import { COMMIT, type FakeHub, startHub } from '../hub/hub-server.js'

const model = { 'config.json': '{}', 'model.safetensors': Buffer.alloc(2000, 'w'), 'tokenizer.json': '{}' }
const OLD = 'b'.repeat(40)
let saved: NodeJS.ProcessEnv
let hub: FakeHub

beforeEach(async () => {
  saved = { ...process.env }
  hub = await startHub({
    'org/tiny': { files: model, refs: { v1: OLD, [OLD]: OLD } },
    'datasets/org/prefs': { files: { 'train.jsonl': '{}\n', 'test.jsonl': '{}\n' } },
  })
  for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
    delete process.env[name]
  Object.assign(process.env, { HF_ENDPOINT: hub.endpoint, HF_HOME: temporaryFolder() })
})
afterEach(() => {
  process.env = saved
})

async function resolved(settings: Record<string, unknown>) {
  const { options } = await loadConfig(undefined, settings)
  const stream = new Sink()
  return { ...(await resolveHubNames(options, createUi({ stream }))), said: stream.text }
}

test('models become folders, data the files of their split; the commits are recorded', async () => {
  const settings = {
    modelNameOrPath: 'org/tiny',
    trainDataset: ['org/prefs', 'own.jsonl'],
    evalDataset: 'org/prefs',
  }
  const { options, hub: entries, said } = await resolved(settings)
  const cache = join(process.env.HF_HOME as string, 'hub')
  expect(options.modelNameOrPath).toBe(join(cache, 'models--org--tiny', 'snapshots', COMMIT))
  const data = join(cache, 'datasets--org--prefs', 'snapshots', COMMIT)
  expect(options.trainDataset).toEqual([join(data, 'train.jsonl'), 'own.jsonl'])
  expect(options.evalDataset).toEqual([join(data, 'test.jsonl')])
  expect(entries).toEqual([
    { kind: 'model', name: 'org/tiny', commit: COMMIT },
    { kind: 'dataset', name: 'org/prefs', commit: COMMIT },
  ])
  expect(said).toMatch(/org\/prefs {2}commit aaaaaaaaaaaa · train\.jsonl/)
})

test('an adapter brings the base that it names on the hub, unless the base is given apart', async () => {
  const folder = temporaryFolder()
  const config = {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: 'org/tiny',
    revision: 'v1',
  }
  fs.writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(config))
  expect(() => baseFolderOf(folder)).toThrow("neither a folder on this disk nor in the hub's cache")

  const apart = await resolved({ modelNameOrPath: 'own/base', adapterNameOrPath: folder }).catch(
    (error) => error as Error,
  )
  expect(String(apart)).toContain('own/base') // only the model that is named is asked for
  expect(hub.seen.some(({ path }) => path.includes('org/tiny'))).toBe(false)

  const { options, hub: entries } = await resolved({ modelNameOrPath: folder })
  expect(options.modelNameOrPath).toBe(folder)
  expect(entries).toEqual([{ kind: 'model', name: 'org/tiny', revision: 'v1', commit: OLD }])
  const cache = join(process.env.HF_HOME as string, 'hub')
  expect(baseFolderOf(folder)).toBe(join(cache, 'models--org--tiny', 'snapshots', OLD))
})

test('a tokenizer alone brings no weights', async () => {
  await resolved({ tokenizerNameOrPath: 'org/tiny' })
  expect(hub.seen.some(({ path }) => path.includes('model.safetensors'))).toBe(false)
})

test('model_revision means the revision of the model, and has to mean something', async () => {
  const { hub: entries } = await resolved({ modelNameOrPath: 'org/tiny', modelRevision: 'v1' })
  expect(entries).toEqual([{ kind: 'model', name: 'org/tiny', revision: 'v1', commit: OLD }])
  const folder = temporaryFolder()
  await expect(resolved({ modelNameOrPath: folder, modelRevision: 'v1' })).rejects.toThrow(
    `model_revision has no effect: ${folder} is no name on the hub`,
  )
  await expect(resolved({ modelNameOrPath: 'org/tiny@main', modelRevision: 'v1' })).rejects.toThrow(
    'names the revision main',
  )
  await expect(resolved({ trainDataset: 'own.jsonl', datasetRevision: 'v1' })).rejects.toThrow(
    'dataset_revision has no effect',
  )
})

test('a run that is resumed keeps the commit that it began with', async () => {
  const outputDir = join(temporaryFolder(), 'run')
  fs.mkdirSync(join(outputDir, 'clha'), { recursive: true })
  const entry = { kind: 'model' as const, name: 'org/tiny', commit: OLD }
  fs.writeFileSync(join(outputDir, 'clha', 'run.json'), JSON.stringify(runManifest({ hub: [entry] })))
  const settings = { modelNameOrPath: 'org/tiny', outputDir }
  expect((await resolved(settings)).hub[0].commit).toBe(COMMIT)
  expect((await resolved({ ...settings, resumeFromCheckpoint: true })).hub).toEqual([entry])
})

test('paths alone ask nobody', async () => {
  const { options, hub: entries } = await resolved({
    modelNameOrPath: 'no/such/model',
    trainDataset: 'data/x.jsonl',
  })
  expect([options.modelNameOrPath, options.trainDataset]).toEqual(['no/such/model', ['data/x.jsonl']])
  expect([entries, hub.seen]).toEqual([[], []])
})
