import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { evalPipeline } from '../../src/commands/eval/eval.js'
import { rescore } from '../../src/commands/rescore/rescore.js'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { loadConfig } from '../../src/config/load-config.js'
import { EXIT } from '../../src/exit-codes.js'
import { call, type Files, typed, writeFiles } from '../commands/eval-folder.js'
import { fakeServer, lengths } from '../reward/fake-server.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('endpoint'))
}, 60_000)

const judge = () =>
  fakeServer(({ body }) => ({ rewards: lengths(body.answers), usage: { total_tokens: 11 } }))

test('clha rescore takes the rewards of a server; the token comes from the environment and is written nowhere', async () => {
  const { url, asked } = await judge()
  process.env.CLHA_TEST_TOKEN = 'do not write me'
  const outputDir = tempFolder('rescored')
  const { config, ui, screen } = await call({
    trainDataset: files.data,
    rewardEndpoint: `${url}/rewards`,
    rewardEndpointTokenEnv: 'CLHA_TEST_TOKEN',
    labelError: 0.1,
    rewardTemperature: 1,
    outputDir,
  })
  await rescore(config, ui, typed())
  const lines = readFileSync(join(outputDir, 'rescored.jsonl'), 'utf8').trimEnd().split('\n')
  for (const line of lines) {
    const { example, rewards } = JSON.parse(line)
    expect(rewards).toEqual(example.candidates.map(({ text }: { text: string }) => text.length))
  }
  expect(asked).toHaveLength(8)
  expect(asked[0].headers.authorization).toBe('Bearer do not write me')
  expect(screen()).toContain('88 tokens')
  for (const name of ['config.yaml', 'rescored.jsonl', 'audit.json'])
    expect(readFileSync(join(outputDir, name), 'utf8')).not.toContain('do not write me')
})

test('clha eval is judged by a server', async () => {
  const { url, asked } = await judge()
  const { config, ui } = await call({
    modelNameOrPath: files.model,
    evalDataset: files.data,
    rewardEndpoint: `${url}/rewards`,
    outputDir: tempFolder('judged'),
  })
  await evalPipeline(config, ui, typed())
  const answers = asked.flatMap(({ body }) => body.answers as string[])
  expect(answers).toHaveLength(8)
})

test('a row that a chat model cannot judge stops scoring, or is left out with skip_bad', async () => {
  const { url } = await fakeServer(({ body }) => {
    const good = !body.messages[1].content.includes('snow')
    return { choices: [{ message: { content: good ? '{"score": 5}' : 'I would rather not' } }] }
  })
  const values = {
    trainDataset: files.data,
    rewardEndpoint: `${url}/v1`,
    rewardEndpointModel: 'judge',
    rewardEndpointRetries: 1,
  }
  const run = async (more: object) => {
    const { config, ui, screen } = await call({ ...values, outputDir: tempFolder('chat'), ...more })
    return { result: await rewardScore(config, ui, typed()), screen: screen() }
  }
  await expect(run({})).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('pairs.jsonl:3: reward endpoint'),
  })
  const { result, screen } = await run({ skipBad: true })
  expect(result).toMatchObject({ answers: 14 })
  expect(screen).toContain('pairs.jsonl:3: left out: no score in the reply')
})

test('where a chat model judges no row at all, skip_bad leaves an error; a row with two unread answers is named once', async () => {
  const values = { trainDataset: files.data, rewardEndpointModel: 'judge', rewardEndpointRetries: 0 }
  const run = async (reads: (text: string) => boolean) => {
    const { url } = await fakeServer(({ body }) => {
      const content = reads(body.messages[1].content) ? '{"score": 5}' : 'I would rather not'
      return { choices: [{ message: { content } }] }
    })
    const outputDir = tempFolder('chat')
    const { config, ui, screen } = await call({
      ...values,
      rewardEndpoint: `${url}/v1`,
      outputDir,
      skipBad: true,
    })
    return { result: await rewardScore(config, ui, typed()), screen: screen() }
  }
  await expect(run(() => false)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('no row has a score'),
  })
  const { screen } = await run((text) => !text.includes('snow'))
  expect(screen.match(/pairs\.jsonl:3: left out/g)).toHaveLength(1)
})

test('keys that cannot act, and two scorers at once, are errors', async () => {
  const load = (values: Record<string, unknown>) => loadConfig(undefined, values)
  await expect(load({ rewardEndpointRetries: 3 })).rejects.toThrow(
    'neither reward_endpoint nor eval_reward_model names a server',
  )
  await expect(load({ rewardEndpoint: 'http://h/score', rewardModel: 'm' })).rejects.toThrow('remove one')
  await expect(
    load({ rewardEndpoint: 'http://h/score', rewardEndpointType: 'vllm_score', rewardRubric: 'be kind' }),
  ).rejects.toThrow('only a chat model')
  await expect(load({ rewardEndpoint: 'http://h/score', folds: 3 })).rejects.toThrow(
    'names a server that scores',
  )
})
