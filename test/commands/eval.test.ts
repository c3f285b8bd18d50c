import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { evalPipeline } from '../../src/commands/eval/eval.js'
import type { Message } from '../../src/dialogue.js'
import { loadLanguageModel } from '../../src/load/language-model.js'
import { attachAdapter } from '../../src/models/adapters/adapter.js'
import { adapterFiles } from '../../src/models/adapters/adapter-save.js'
import { createCache, decode, logits } from '../../src/models/decoder/decoder.js'
import { loadModel } from '../../src/models/folders/load-model.js'
import { packedStream } from '../../src/nn/layout.js'
import type { AlignReport } from '../../src/report/types.js'
import { noGrad, ops, scope } from '../../src/tensor/index.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('eval'))
})

async function evaluate(values: Record<string, unknown>) {
  const outputDir = tempFolder('eval-out')
  const { config, ui, screen } = await call({
    modelNameOrPath: files.model,
    evalDataset: files.data,
    outputDir,
    ...values,
  })
  const result = await evalPipeline(config, ui, typed())
  const read = (name: string) => readFileSync(join(outputDir, name), 'utf8')
  return { result, read, screen: screen(), report: JSON.parse(read('report.json')) as AlignReport }
}

test('two models and two judges: rewards, wins, lengths and differences stand in all three files', async () => {
  const { result, report, read, screen } = await evaluate({
    baseline: files.other,
    rewardModel: files.reward,
    evalRewardModel: files.second,
  })
  const evaluation = report.evaluation!
  const total = evaluation.rows.filter((row) => row.source === 'total')
  expect(total.map((row) => row.system)).toEqual([files.other, files.model])
  const [baseline, model] = total
  expect(model.prompts).toBe(pairs.length)
  const { wins, ties, losses } = model.againstStart!
  expect(wins + ties + losses).toBe(pairs.length)
  expect(baseline.againstStart).toBeUndefined()
  const difference = evaluation.differences![0]
  expect(difference).toMatchObject({ a: files.model, b: files.other, metric: 'second reward' })
  expect(difference.difference.value).toBeCloseTo(
    model.secondReward!.value! - baseline.secondReward!.value!,
    6,
  )
  expect(evaluation.agreement!.map(({ a, b }) => [a, b])).toEqual([
    ['reward', 'second'],
    ['reward', 'second'],
  ])
  expect(evaluation.rows.map((row) => row.source).toSorted()).toEqual([
    'even',
    'even',
    'odd',
    'odd',
    'total',
    'total',
  ])
  expect(report.samples).toHaveLength(pairs.length)
  expect(Object.keys(report.samples![0].answers[0].rewards)).toEqual(['reward', 'second'])
  expect(result.metrics[files.model]).toMatchObject({ prompts: 8, second_reward: model.secondReward!.value })
  for (const text of [read('report.md'), read('report.html')]) expect(text).toContain('second reward')
  expect(screen).toContain('second reward model')
  expect(screen).toContain('8 held-out prompts')
})

test('what a model asks for in generation_config.json is said by its name, for the answers do not follow it', async () => {
  const asking = tempFolder('asking')
  cpSync(files.model, asking, { recursive: true })
  writeFileSync(join(asking, 'generation_config.json'), JSON.stringify({ repetition_penalty: 1.05 }))
  const { screen } = await evaluate({ baseline: asking })
  expect(screen).toContain(`of ${asking}'s generation_config.json repetition_penalty 1.05 not used`)
  expect(screen.match(/not used/g)).toHaveLength(1)
})

test('token lengths are those of the generated ids', async () => {
  const { report, result } = await evaluate({ maxNewTokens: 3 })
  expect(report.evaluation!.lengthUnit).toBe('tokens')
  expect(result.metrics[files.model].tokens).toBeLessThanOrEqual(3)
  expect(result.metrics[files.model].tokens).toBeGreaterThan(0)
})

test('without a judge it says so, and gives BLEU and text figures', async () => {
  const { screen, result, report } = await evaluate({})
  expect(screen).toContain('no reward model: BLEU')
  const metrics = result.metrics[files.model]
  expect(Object.keys(metrics)).toEqual([
    ...['prompts', 'tokens', 'bleu', 'distinct', 'repetition'],
    ...['pair_accuracy', 'pair_accuracy_per_token', 'pair_margin'],
  ])
  expect(report.notes!.join(' ')).toContain('No reward model judged')
})

test('without a judge the models themselves say what they think of the pairs, alone and beside a baseline', async () => {
  const { result, screen, report } = await evaluate({ baseline: files.other })
  const [own, base] = [result.metrics[files.model], result.metrics[files.other]]
  const expected = { own: await sumsOf(files.model), base: await sumsOf(files.other) }
  const share = (margins: number[]) => margins.filter((m) => m > 0).length / margins.length
  const average = (margins: number[]) => margins.reduce((a, b) => a + b, 0) / margins.length
  expect(own.pair_accuracy).toBe(share(expected.own))
  expect(own.pair_margin).toBeCloseTo(average(expected.own), 3)
  expect(base.pair_margin).toBeCloseTo(average(expected.base), 3)
  const gained = expected.own.map((m, i) => m - expected.base[i])
  expect(own.reward_accuracy).toBe(share(gained))
  expect(own.reward_margin).toBeCloseTo(average(gained), 3)
  expect(base).not.toHaveProperty('reward_margin')
  expect(screen).toMatch(/the preferred answer is the likelier one in \d+.*of 8 pairs, per token in/)
  expect(report.notes!.join(' ')).toContain(`against ${files.other} the preferred answer gained more in`)
})

/** Preferred minus other answer for every pair: log-probabilities from one forward over each text by itself. */
async function sumsOf(folder: string): Promise<number[]> {
  const { model, tokenizer, template } = await loadLanguageModel(folder, 'f32')
  const margins: number[] = []
  for (const { prompt, chosen, rejected } of pairs) {
    const messages = prompt as Message[]
    const before = template.prompt(messages)
    const ids = async (text: string) => Array.from((await tokenizer.encode(text)).ids)
    const start = await ids(before)
    const sum = async (answer: string) => {
      const whole = [...(await ids(before + template.answer(answer, messages))), tokenizer.eosId as number]
      const positions = whole.map((_, i) => i)
      const rows = noGrad(() =>
        scope(() => {
          const layout = packedStream(
            whole,
            positions,
            [{ q0: 0, q1: whole.length, c0: 0, c1: 0, k0: 0, k1: whole.length, task: 0 }],
            positions,
          )
          const cache = createCache(model, whole.length)
          const scores = logits(model, decode(model, layout, cache))
          cache.dispose()
          return ops.logSoftmax(scores, 1).numbers()
        }),
      )
      const vocabulary = rows.length / whole.length
      return whole
        .slice(start.length)
        .reduce((total, id, i) => total + rows[(start.length + i - 1) * vocabulary + id], 0)
    }
    margins.push((await sum(chosen[0].content)) - (await sum(rejected[0].content)))
  }
  model.dispose()
  return margins
}

test('eval_prompts picks the same prompts whatever the order of the file', async () => {
  const backwards = join(files.dir, 'backwards.jsonl')
  writeFileSync(
    backwards,
    pairs
      .toReversed()
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  )
  const asked = async (evalDataset: string) =>
    (await evaluate({ evalDataset, evalPrompts: 3 })).report.samples!.map(({ prompt }) => prompt)
  const prompts = await asked(files.data)
  expect(prompts).toHaveLength(3)
  expect(await asked(backwards)).toEqual(prompts)
})

test('the same call gives the same answers and rewards; scores come from the cache the second time', async () => {
  const scoreCacheDir = tempFolder('scores')
  const once = async () => (await evaluate({ rewardModel: files.reward, scoreCacheDir })).report
  const first = await once()
  expect((await once()).samples).toEqual(first.samples)
  const [name, ...others] = readdirSync(scoreCacheDir)
  expect(others).toEqual([])
  // One line per answer: the second call added none.
  const lines = readFileSync(join(scoreCacheDir, name), 'utf8').trimEnd().split('\n')
  expect(lines).toHaveLength(
    new Set(first.samples!.map(({ prompt, answers }) => prompt + answers[0].text)).size,
  )
})

test('a language model is refused as a judge, and a reward model as a model, before anything is generated', async () => {
  await expect(evaluate({ rewardModel: files.other })).rejects.toThrow(
    `${files.other}: a language model, it cannot judge`,
  )
  await expect(evaluate({ modelNameOrPath: files.reward })).rejects.toThrow(
    'a reward model, it cannot answer',
  )
})

test('without eval_dataset the test prompts of train_dataset are asked', async () => {
  const values = { evalDataset: undefined, trainDataset: files.data, devFraction: 0, testFraction: 0.5 }
  const { report } = await evaluate(values)
  const asked = report.evaluation!.rows[0].prompts
  expect(asked).toBeGreaterThan(0)
  expect(asked).toBeLessThan(pairs.length)
  await expect(evaluate({ ...values, testFraction: 0 })).rejects.toThrow('leaves no prompt to evaluate on')
})

test('the sampled distance from a baseline: none from a twin, some from another model, and none given for greedy answers', async () => {
  const drawn = { temperature: 1, topK: 0, topP: 1 }
  const { report } = await evaluate({ baseline: files.other, ...drawn })
  const { kl, perplexity } = report.measures!.systems[files.model]
  const twin = tempFolder('twin')
  cpSync(files.model, twin, { recursive: true })
  const same = await evaluate({ baseline: twin, ...drawn })
  expect(same.report.measures!.systems[files.model].kl.value).toBeCloseTo(0, 5)
  expect(kl.value).toBeGreaterThan(1)
  expect(kl.interval![0]).toBeLessThan(kl.value!)
  expect(perplexity.value).toBeGreaterThan(1)
  const greedy = await evaluate({ baseline: files.other })
  expect(Object.keys(greedy.report.measures!.systems[files.model])).toContain('perplexity')
  expect(greedy.report.measures!.systems[files.model].kl).toBeUndefined()
})

test('an adapter is compared with its own base, under the name of its folder', async () => {
  const adapter = join(tempFolder('adapter'), 'tuned')
  mkdirSync(adapter)
  const model = loadModel(files.model)
  const lora = { r: 2, alpha: 4, dropout: 0, useRslora: false, modulesToSave: [], base: files.model }
  attachAdapter(model, { ...lora, targetModules: ['q_proj'] }, 1)
  for (const { path, chunks } of adapterFiles(model))
    writeFileSync(join(adapter, path), Buffer.concat([...chunks()]))
  model.dispose()
  const values = { adapterNameOrPath: adapter, baseline: files.model, rewardModel: files.reward }
  const { report, result } = await evaluate(values)
  expect(report.evaluation!.baseline).toBe(files.model)
  expect(Object.keys(result.metrics)).toEqual([files.model, adapter])
  // A new adapter changes nothing yet: every prompt is a tie.
  expect(report.measures).toMatchObject({ subject: adapter, baseline: files.model })
  expect(report.measures!.systems[adapter].winrate.value).toBe(0.5)
})

test('one prompt has no interval, and nobody is called higher', async () => {
  const { screen, report } = await evaluate({
    baseline: files.other,
    rewardModel: files.reward,
    evalPrompts: 1,
  })
  expect(screen).toContain('no interval, so this may be chance')
  expect(report.measures!.systems[files.model]['reward.difference'].interval).toBeUndefined()
})

test('a model that is its own baseline, however its folder is written, is refused', async () => {
  const said = 'a model is not compared with itself'
  await expect(evaluate({ baseline: files.model })).rejects.toThrow(said)
  await expect(evaluate({ baseline: [files.other, `${files.model}/../model/`] })).rejects.toThrow(said)
})
