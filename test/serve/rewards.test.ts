import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { createScorer } from '../../src/serve/scorer.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { json, post, type Serving, startServing } from './serving.js'

let files: Files
let server: Serving
let end: () => Promise<unknown>
let local: number[][]
beforeAll(async () => {
  files = await writeFiles(tempFolder('serve-rewards'))
  local = await scores({ rewardModel: files.reward })
  server = await startServing({ rewardModel: files.reward, maxNewTokens: undefined }, (stop) => {
    end = stop
  })
}, 60_000)
afterAll(() => end())

/** Rewards of chosen and rejected answers as `clha reward score` writes them. */
async function scores(values: Record<string, unknown>): Promise<number[][]> {
  const outputFile = join(tempFolder('scores'), 'scored.jsonl')
  const outputDir = tempFolder('scores-run')
  const { config, ui } = await call({ trainDataset: files.data, outputFile, outputDir, ...values })
  await rewardScore(config, ui, typed())
  const rows = readFileSync(outputFile, 'utf8').trimEnd().split('\n')
  return rows.map((row) => JSON.parse(row)).map((row) => [row.score_chosen, row.score_rejected])
}

const near = (found: number[][]) => {
  expect(found).toHaveLength(local.length)
  for (const [i, reward] of found.flat().entries()) expect(reward).toBeCloseTo(local.flat()[i], 5)
}

for (const route of ['score', 'classify', 'pooling', 'predict', 'rewards']) {
  test(`/${route} gives clha reward score the rewards that the model gives here`, async () => {
    near(await scores({ rewardEndpoint: `${server.url}/${route}` }))
  })
}

test('scores are kept beside the run; a second run asks for nothing', async () => {
  const values = { rewardEndpoint: `${server.url}/rewards`, outputDir: tempFolder('kept') }
  const first = await scores(values)
  const { config, ui, screen } = await call({ trainDataset: files.data, ...values })
  expect(await rewardScore(config, ui, typed())).toEqual({ answers: 16, cached: 16 })
  expect(screen()).toContain('16 of them were known')
  near(first)
})

const QUESTION = pairs[0].prompt[0].content
const ANSWERS = [pairs[0].chosen[0].content, pairs[0].rejected[0].content]

test('the shapes of vLLM, with raw rewards unless their sigmoid is asked for', async () => {
  const score = async (more: object) =>
    json(await post(`${server.url}/score`, { text_1: QUESTION, text_2: ANSWERS, ...more }))
  const raw = await score({})
  expect(raw).toMatchObject({ object: 'list', data: [{ index: 0, object: 'score' }, { index: 1 }] })
  expect(raw.usage.total_tokens).toBeGreaterThan(10)
  const rewards = raw.data.map((d: { score: number }) => d.score)
  near([rewards, ...local.slice(1)])
  const squashed = (await score({ use_activation: true })).data[0].score
  expect(squashed).toBeCloseTo(1 / (1 + Math.exp(-rewards[0])), 6)
  const each = await json(
    await post(`${server.url}/score`, { text_1: [QUESTION, QUESTION], text_2: ANSWERS }),
  )
  expect(each.data.map((d: { score: number }) => d.score)[1]).toBeCloseTo(rewards[1], 5)
})

test('a text is scored as it stands, with the tokens that it has', async () => {
  const messages = [
    { role: 'user', content: QUESTION },
    { role: 'assistant', content: ANSWERS[0] },
  ]
  const classify = async (body: object) =>
    (await json(await post(`${server.url}/classify`, body))).data[0].probs[0]
  const literal = `\n\nHuman: ${QUESTION}\n\nAssistant: ${ANSWERS[0]}<|endoftext|>`
  const reward = await classify({ messages })
  expect(await classify({ input: literal })).toBeCloseTo(reward, 5)
  expect(await classify({ input: literal.replace('<|endoftext|>', '') })).not.toBeCloseTo(reward, 5)
})

test('the shape of TEI: one text, one pair, a list; sigmoids unless raw scores are asked for', async () => {
  const predict = async (inputs: unknown, raw_scores?: boolean) =>
    json(await post(`${server.url}/predict`, { inputs, raw_scores }))
  const [one] = await predict([QUESTION, ANSWERS[0]], true)
  const list = await predict([[QUESTION, ANSWERS[0]], ['a text'], 'another'], true)
  expect(list).toHaveLength(3)
  expect(list[0][0].score).toBeCloseTo(one.score, 5)
  expect((await predict('a text', true))[0].score).toBeCloseTo(list[1][0].score, 5)
  expect((await predict('a text'))[0].score).toBeCloseTo(1 / (1 + Math.exp(-list[1][0].score)), 5)
})

test('what is too long or malformed is refused; nothing is cut', async () => {
  const score = (body: object) => post(`${server.url}/score`, body)
  const long = await score({ text_1: QUESTION, text_2: 'blue '.repeat(200) })
  expect([long.status, (await json(long)).error.message]).toEqual([
    400,
    expect.stringContaining('too long for max_length 128'),
  ])
  expect((await score({ text_1: ['a', 'b'], text_2: ['c'] })).status).toBe(400)
  expect((await post(`${server.url}/classify`, { input: '' })).status).toBe(400)
  expect((await post(`${server.url}/classify`, { messages: [{ role: 'user', content: 'x' }] })).status).toBe(
    400,
  )
  expect((await post(`${server.url}/classify`, { input: 'x '.repeat(400) })).status).toBe(400)
  expect((await post(`${server.url}/v1/completions`, { prompt: 'x' })).status).toBe(404)
})

test('settings of answers are refused where a reward model alone is served', async () => {
  for (const [key, values] of Object.entries({
    temperature: { temperature: 0.5 },
    served_model_name: { servedModelName: 'mine' },
  }))
    await expect(
      startServing({ rewardModel: files.reward, maxNewTokens: undefined, ...values }),
    ).rejects.toThrow(`${key} has no effect: a reward model writes no answers`)
})

test('a request that can not be scored ends no other one that waits beside it', async () => {
  const tokenizer = await loadTokenizer(files.reward)
  const template = await chatTemplate(tokenizer, 'plain')
  const sizes: number[] = []
  const scorer = createScorer({
    tokenizer,
    template,
    contextLength: 32,
    maxQueue: 8,
    async rewards(lists) {
      sizes.push(lists.length)
      await new Promise((resolve) => setTimeout(resolve, 50))
      if (lists.some(({ answers, promptIds }) => promptIds.length + answers[0].ids.length > 5)) {
        throw new Error('reward NaN')
      }
      return lists.map(() => [1])
    },
  })
  const ask = (text: string) => scorer.score([{ text }], new AbortController().signal)
  const first = ask('b')
  const [bad, good] = [ask('blue blue blue blue blue blue'), ask('b')]
  await expect(bad).rejects.toThrow('reward NaN')
  expect([(await first).rewards, (await good).rewards]).toEqual([[[1]], [[1]]])
  expect(sizes).toContain(2)
})
