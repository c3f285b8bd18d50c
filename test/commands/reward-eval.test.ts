/** A reward model against labels, from the command line. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { gate } from '../../src/commands/gate/gate.js'
import { rewardEval } from '../../src/commands/reward-eval/reward-eval.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('reward-eval'))
})

async function evaluate(values: Record<string, unknown>, own: Record<string, unknown> = {}) {
  const { config, ui, screen } = await call({ maxLength: 64, ...values })
  const result = await rewardEval(own)(config as Parameters<ReturnType<typeof rewardEval>>[0], ui, typed())
  return { result, ui, screen: screen() }
}

test('a reward model on labelled pairs: accuracy by source, a report, and measures that a gate can hold it to', async () => {
  const outputDir = tempFolder('reward-eval-out')
  const { result, ui, screen } = await evaluate({
    trainDataset: files.data,
    rewardModel: files.reward,
    outputDir,
  })
  expect(result.accuracy.total).toBe(8)
  expect(result.categories.map(({ name, accuracy }) => [name, accuracy.total])).toEqual([
    ['even', 4],
    ['odd', 4],
  ])
  const counts = result.categories.map(({ accuracy }) => accuracy.count)
  expect(counts[0] + counts[1]).toBe(result.accuracy.count)
  expect(screen).toContain('of 8 labels')
  expect(fs.readFileSync(join(outputDir, 'report.html'), 'utf8')).toContain(
    'Labels that the reward puts right',
  )
  const share = result.accuracy.share ?? 0
  const path = join(outputDir, 'report.json')
  expect(gate(path, [`accuracy >= ${share}`], undefined, ui).exitCode).toBe(0)
  expect(gate(path, [`accuracy@even > 1`], undefined, ui).exitCode).toBe(8)
})

test('rewards of a column; annotators count by their majority, and a tie is left out and said', async () => {
  const path = join(tempFolder('pandalm'), 'set.json')
  const row = (idx: number, votes: number[], scores: number[]) => ({
    idx,
    instruction: `Do ${idx}.`,
    input: '',
    response1: `one ${idx}`,
    response2: `two ${idx}`,
    annotator1: votes[0],
    annotator2: votes[1],
    annotator3: votes[2],
    reward_1: scores[0],
    reward_2: scores[1],
  })
  fs.writeFileSync(
    path,
    JSON.stringify([
      row(0, [1, 1, 2], [2, 1]),
      row(1, [2, 0, 2], [2, 1]),
      row(2, [0, 0, 0], [2, 1]),
      row(3, [1, 2, 0], [2, 1]),
    ]),
  )
  const { result, screen } = await evaluate({ trainDataset: path, rewardColumn: 'reward' })
  expect(result.accuracy).toMatchObject({ count: 1, total: 2 })
  expect(result.unlabelled).toBe(2)
  expect(screen).toContain('2 rows without a label, or with a tie')
})

test('another benchmark than there is, and data without labels, are errors', async () => {
  const values = { trainDataset: files.data, rewardModel: files.reward }
  await expect(evaluate(values, { benchmark: 'arena' })).rejects.toThrow('--benchmark arena: no such name')
  const path = join(tempFolder('unlabelled'), 'lists.jsonl')
  fs.writeFileSync(path, JSON.stringify({ prompt: 'x', completions: ['a', 'b'], rewards: [1, 2] }))
  await expect(evaluate({ trainDataset: path, rewardColumn: 'rewards' })).rejects.toThrow('no row says which')
})
