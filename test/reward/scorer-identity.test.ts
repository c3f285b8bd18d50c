/** One scorer has one name: what a command scored, the others know; and so do those of version 0.1.0. */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { modelHash } from '../../src/models/folders/model-folder.js'
import { scorerIdentity } from '../../src/reward/scorer-identity.js'
import { openSession } from '../../src/session/session.js'
import { lazyScorers } from '../../src/stations/evaluate/eval-models.js'
import { call, type Files, pairs, typed, writeFiles } from '../commands/eval-folder.js'
import { post, startServing } from '../serve/serving.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('identity'))
})

const only = (dir: string): string => {
  const names = readdirSync(dir)
  expect(names).toHaveLength(1)
  return readFileSync(join(dir, names[0]), 'utf8')
}

async function scored(scoreCacheDir: string, values: Record<string, unknown> = {}) {
  const common = { rewardModel: files.reward, trainDataset: files.data, scoreCacheDir }
  const { config, ui } = await call({ ...common, outputDir: tempFolder('scored'), ...values })
  return rewardScore(config, ui, typed())
}

test('eval and serve score no answer anew that reward score has scored', async () => {
  const dir = tempFolder('known')
  expect(await scored(dir)).toMatchObject({ answers: 16, cached: 0 })
  const known = only(dir)
  const { config, ui } = await call({ rewardModel: files.reward, scoreCacheDir: dir, maxLength: 100 })
  const [scorer] = lazyScorers(await openSession(config, ui))
  await scorer.score(
    pairs.map(({ prompt }) => prompt as never),
    pairs.map(({ chosen }) => chosen[0].content),
  )
  expect(only(dir)).toBe(known)
  const values = { rewardModel: files.reward, scoreCacheDir: dir, maxNewTokens: undefined }
  const { url } = await startServing(values)
  const [{ prompt, chosen, rejected }] = pairs
  const texts = [chosen[0].content, rejected[0].content]
  const answer = await post(`${url}/score`, { text_1: prompt[0].content, text_2: texts })
  expect(answer.status).toBe(200)
  expect(only(dir)).toBe(known)
})

test('a length that cuts nothing makes no other scorer, a dtype does', async () => {
  const dir = tempFolder('lengths')
  await scored(dir)
  expect(await scored(dir, { maxLength: 100, maxPromptLength: 50 })).toMatchObject({ cached: 16 })
  expect(await scored(dir, { dtype: 'float64' })).toMatchObject({ cached: 0 })
})

// The names that version 0.1.0 gave to the files of rescore, eval and serve.
const EARLIER = {
  rescore: (model: string) => `${model}:${JSON.stringify([512, 384, 'left', 'f32', 'hh'])}`,
  eval: (model: string) => `${model}:${JSON.stringify(['eval', 512, 384, 'f32', 'hh'])}`,
  serve: (model: string) => `serve:${model}:f32`,
}

for (const [command, nameOf] of Object.entries(EARLIER)) {
  test(`scores that ${command} of version 0.1.0 kept are known`, async () => {
    const [fresh, old] = [tempFolder('fresh'), tempFolder('old')]
    await scored(fresh)
    const sha = createHash('sha256')
      .update(nameOf(await modelHash(files.reward)))
      .digest('hex')
    mkdirSync(old, { recursive: true })
    writeFileSync(join(old, `scores-${sha.slice(0, 16)}.jsonl`), only(fresh))
    expect(await scored(old)).toMatchObject({ answers: 16, cached: 16 })
  })
}

test('weights, dtype and bits are the scorer; lengths and templates are not', async () => {
  const lengths = { maxLength: 512, maxPromptLength: 384, truncation: 'left', template: 'hh' }
  const of = async (facts: object, more: object = {}) => {
    const scorer = { folder: files.reward, dtype: 'f32' as const, ...facts }
    return (await scorerIdentity(scorer, { ...lengths, ...more })).identity
  }
  const one = await of({})
  expect(await of({}, { maxLength: 10, template: 'plain' })).toBe(one)
  const others = [await of({ folder: files.second }), await of({ dtype: 'f64' }), await of({ bits: 8 })]
  expect(new Set([one, ...others]).size).toBe(4)
})
