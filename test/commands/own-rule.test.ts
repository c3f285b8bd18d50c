// The worked example of docs/real-quickstart.md, with a tiny model: its module, its config, its commands.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { augment } from '../../src/commands/augment/augment.js'
import { evalPipeline } from '../../src/commands/eval/eval.js'
import { rescore } from '../../src/commands/rescore/rescore.js'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { train } from '../../src/commands/train/train.js'
import { loadConfig } from '../../src/config/load-config.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { type Files, pairs, typed, writeFiles } from './eval-folder.js'

const page = readFileSync(new URL('../../docs/real-quickstart.md', import.meta.url), 'utf8')
const block = (language: string) =>
  new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``).exec(page)?.[1] as string

let files: Files
let rule: string
beforeAll(async () => {
  files = await writeFiles(tempFolder('own-rule'))
  rule = join(files.dir, 'my-reward.mjs')
  writeFileSync(rule, block('js'))
})

async function run<T>(
  pipeline: (config: never, ui: never, input: never) => Promise<T>,
  values: Record<string, unknown>,
  file?: string,
): Promise<T> {
  const config = await loadConfig(file, { threads: 1, outputDir: join(files.dir, 'runs'), ...values })
  return pipeline(config as never, createUi({ stream: new Sink(), isTty: false }) as never, typed() as never)
}

test('the rule on answers, by hand', async () => {
  const { score } = (await import(rule)) as { score(prompt: string, answer: string): number }
  expect(score('', 'It is blue.')).toBe(1)
  expect(score('', 'One. Two. Three. Four')).toBe(-3)
  expect(score('', 'Great question! It is blue.')).toBe(-1)
})

test('prompts are answered and scored by the rule, a policy is trained on them and judged by the rule', async () => {
  const prompts = join(files.dir, 'prompts.jsonl')
  writeFileSync(prompts, pairs.map(({ prompt }) => `${JSON.stringify({ prompt })}\n`).join(''))
  const scored = join(files.dir, 'scored.jsonl')
  const given = { modelNameOrPath: files.model, rewardFunction: rule, maxNewTokens: 12 }
  await run(augment, { ...given, trainDataset: prompts, numSamples: 4, temperature: 0.8, outputFile: scored })
  const { score } = (await import(rule)) as { score(prompt: string, answer: string): number }
  for (const line of readFileSync(scored, 'utf8').trim().split('\n')) {
    const { completions, rewards } = JSON.parse(line) as { completions: string[]; rewards: number[] }
    expect(rewards).toEqual(completions.map((text) => score('', text)))
  }
  const config = join(files.dir, 'my-talk.yaml')
  const own = {
    'my-model.gguf': files.model,
    'scored.jsonl': scored,
    'runs/my-talk': join(files.dir, 'talk'),
  }
  writeFileSync(
    config,
    Object.entries(own).reduce((text, [from, to]) => text.replace(from, to), block('yaml')),
  )
  const trained = await run(
    train,
    { outputDir: join(files.dir, 'talk'), maxLength: 100, maxPromptLength: 60 },
    config,
  )
  const { metrics } = await run(evalPipeline, {
    ...given,
    modelNameOrPath: trained.model,
    baseline: [files.model],
    evalDataset: prompts,
  })
  expect(Object.values(metrics).every(({ reward }) => Number.isFinite(reward))).toBe(true)
})

test('rescoring and scoring take the rule in place of a reward model', async () => {
  const given = { trainDataset: files.data, rewardFunction: rule, outputDir: join(files.dir, 'rescored') }
  // Both answers of these pairs are one whole sentence: worth 1.
  expect(await run(rewardScore, { ...given, outputFile: join(files.dir, 'out.jsonl') })).toMatchObject({
    answers: 16,
  })
  const [row] = readFileSync(join(files.dir, 'out.jsonl'), 'utf8').split('\n')
  expect(JSON.parse(row)).toMatchObject({ score_chosen: 1, score_rejected: 1 })
  const { pairs } = await run(rescore, { ...given, labelError: 0.2, rewardTemperature: 1 })
  expect(pairs).toEqual({ kept: 8, doubtful: 0, reversed: 0 })
})

test('one scorer at a time', async () => {
  const both = { trainDataset: files.data, rewardFunction: rule, rewardModel: files.reward }
  await expect(run(rewardScore, both)).rejects.toMatchObject({
    exitCode: 2,
    message: expect.stringContaining('reward_function and reward_model both score the answers'),
  })
})
