/** A probe: what it reads of an answer, what it keeps on disk, and what it is refused with. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packLists } from '../../src/data/encode/pack.js'
import { DiskStorage } from '../../src/files/storage.js'
import { writeFolder } from '../../src/files/whole.js'
import { baseFolderOf, headOfFolder, loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { type Decoder, decode } from '../../src/models/decoder/decoder.js'
import { candidateRewards, streamOf } from '../../src/models/decoder/score.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { modelHash } from '../../src/models/folders/model-folder.js'
import { probedLayers, probeFrom, probeStates, probeWidth } from '../../src/models/probe/probe.js'
import { PROBE_CONFIG } from '../../src/models/probe/probe-folder.js'
import { probeFiles } from '../../src/models/probe/probe-save.js'
import { memory, noGrad, scope } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'
import { list } from '../helpers/encoded.js'

const dir = fs.mkdtempSync(join(tmpdir(), 'clha-probe-'))
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }))

const LISTS = [list('a', [5, 6, 7], [8, 9], [10, 11, 12]), list('b', [20], [21, 22, 23])]

const weightsFor = ({ config }: Decoder) =>
  Float32Array.from({ length: probeWidth(config) }, (_, i) => Math.sin(i + 1))

const rewardsOf = (probe: Decoder, lists = LISTS, maxTokens = 4096): number[] =>
  packLists(lists, { maxTokens, lastToken: true }).flatMap((batch) =>
    noGrad(() => scope(() => candidateRewards(probe, batch).numbers())),
  )

/** Hidden states [T][D] of one dialogue after so many blocks. */
function statesOf(model: Decoder, layers: number, ids: number[]): number[][] {
  const lower = probeFrom(model, { layers, shared: true })
  const [batch] = packLists([list('one', ids.slice(0, 1), ids.slice(1))], { maxTokens: 64, lastToken: true })
  const flat = noGrad(() => scope(() => decode(lower, streamOf(batch)).numbers()))
  lower.dispose()
  const width = model.config.hiddenSize
  return ids.map((_, t) => flat.slice(t * width, (t + 1) * width))
}

test.each(['llama_gqa', 'gpt2', 'gemma2'].filter((name) => fs.existsSync(fixture(`models/${name}`))))(
  '%s: the reward is linear in the state of the last token and in the mean over the answer, the prompt left out',
  (name) => {
    const model = loadModel(fixture(`models/${name}`))
    const layers = probedLayers(model.config)
    const weights = weightsFor(model)
    const probe = probeFrom(model, { layers, weights, shared: true })
    const found = rewardsOf(probe)
    const dialogues = LISTS.flatMap(({ promptIds, answers }) =>
      answers.map(({ ids }) => ({ prompt: promptIds.length, ids: [...promptIds, ...ids] })),
    )
    for (const [i, { prompt, ids }] of dialogues.entries()) {
      const states = statesOf(model, layers, ids)
      const answer = states.slice(prompt)
      const width = model.config.hiddenSize
      let reward = 0
      for (let k = 0; k < width; k++) {
        reward += weights[k] * states[states.length - 1][k]
        reward += weights[width + k] * (answer.reduce((sum, row) => sum + row[k], 0) / answer.length)
      }
      expect(found[i]).toBeCloseTo(reward, 3)
    }
    probe.dispose()
    model.dispose()
  },
)

test('the states that it is fitted to are those that its reward is made of, whatever the batch', () => {
  const model = loadModel(fixture('models/llama_gqa'))
  const weights = weightsFor(model)
  const probe = probeFrom(model, { layers: 1, weights })
  const rewards = rewardsOf(probe)
  const [batch] = packLists(LISTS, { maxTokens: 4096, lastToken: true })
  const states = noGrad(() => scope(() => probeStates(probe, batch).numbers()))
  const width = weights.length
  rewards.forEach((reward, c) => {
    const made = weights.reduce((sum, weight, k) => sum + weight * states[c * width + k], 0)
    expect(made).toBeCloseTo(reward, 3)
  })
  for (const [c, reward] of rewardsOf(probe, LISTS, 4).entries()) expect(reward).toBeCloseTo(rewards[c], 4)
  probe.dispose()
  model.dispose()
})

test('a copy outlives its model and what it becomes; shared blocks are freed once', () => {
  const before = memory().tensors
  const model = loadModel(fixture('models/llama_gqa'))
  const weights = weightsFor(model)
  const [copy, shared] = [false, true].map((share) => probeFrom(model, { layers: 1, weights, shared: share }))
  const rewards = rewardsOf(shared)
  shared.dispose()
  model.dispose()
  expect(rewardsOf(copy)).toEqual(rewards)
  copy.dispose()
  expect(memory().tensors).toBe(before)
})

function saved(name: string, base: string): string {
  const model = loadModel(base)
  const probe = probeFrom(model, { layers: 1, weights: weightsFor(model), shared: true })
  const folder = join(dir, name)
  writeFolder(new DiskStorage(), folder, probeFiles(probe, { base_model_name_or_path: base, pairs: 3 }))
  probe.dispose()
  model.dispose()
  return folder
}

test('a folder of a few kilobytes names its base, is a reward model, and scores as before', async () => {
  const base = fixture('models/llama_gqa')
  const folder = saved('whole', base)
  expect(baseFolderOf(folder)).toBe(base)
  expect(headOfFolder(folder)).toBe('reward')
  const before = memory().tensors
  const model = loadModel(base)
  const probe = probeFrom(model, { layers: 1, weights: weightsFor(model), shared: true })
  const loaded = loadModelFolder(folder)
  expect(rewardsOf(loaded)).toEqual(rewardsOf(probe))
  for (const each of [loaded, probe, model]) each.dispose()
  expect(memory().tensors).toBe(before)
  // Scores are known by the hash: of other blocks they are others.
  const hash = await modelHash(folder)
  const path = join(folder, PROBE_CONFIG)
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('"layers": 1', '"layers": 2'))
  expect(await modelHash(folder)).not.toBe(hash)
})

test('a base that is gone, or of another size, and a config that is none are named', () => {
  const gone = saved('gone', fixture('models/llama_gqa'))
  const path = join(gone, PROBE_CONFIG)
  const config = JSON.parse(fs.readFileSync(path, 'utf8'))
  const withKeys = (keys: object) => fs.writeFileSync(path, JSON.stringify({ ...config, ...keys }))
  withKeys({ base_model_name_or_path: '/nowhere' })
  expect(() => loadModelFolder(gone)).toThrow(/a probe without its base: .*"\/nowhere"/)
  withKeys({ layers: 99 })
  const before = memory().tensors
  expect(() => loadModelFolder(gone)).toThrow(/a probe of 99 layers/)
  expect(memory().tensors).toBe(before)
  withKeys({ layers: 'all' })
  expect(() => loadModelFolder(gone)).toThrow(/reward_probe.json: layers: /)
})
