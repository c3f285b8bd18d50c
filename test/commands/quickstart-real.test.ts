import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runChatModel } from '../../src/commands/quickstart/real.js'
import { TEST_PROMPTS, TRAIN_PROMPTS } from '../../src/world/talk/talk-prompts.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, writeFiles } from './eval-folder.js'

/** Settings under which a tiny model goes the whole way in a moment. */
const SMALL = { numTrainEpochs: 0.1, learningRate: 1e-3, reportTo: ['none'] }

test('a chat model goes the whole way: its own answers, noisy labels, reward models, policy, before and after', async () => {
  const files = await writeFiles(tempFolder('talk'))
  const dir = join(files.dir, 'run')
  const run = async () => {
    const { config, ui, screen } = await call(SMALL)
    return { ...(await runChatModel(files.model, config, ui, 1, dir)), screen: screen() }
  }
  const { report, result, screen } = await run()
  const rows = readFileSync(join(dir, 'data/train.jsonl'), 'utf8').trim().split('\n')
  expect(report.data?.pairs).toBe(rows.length)
  expect(rows.filter((row) => JSON.parse(row).reversed)).toHaveLength(Math.round(rows.length / 4))
  expect(report.evaluation?.rows.find(({ system }) => system === 'clha')?.prompts).toBe(TEST_PROMPTS.length)
  expect(report.evaluation?.rows.some(({ kl, system }) => system === 'clha' && kl !== undefined)).toBe(true)
  expect(report.samples).toHaveLength(10)
  expect(new Set(report.samples?.map(({ source }) => source))).toEqual(
    new Set(['question', 'instruction', 'decline']),
  )
  expect(existsSync(result.model)).toBe(true)
  expect(report.notes?.join(' ')).toContain('The reward models put')
  expect(report.notes?.join(' ')).toContain('Declined what should be declined')
  expect(screen).toContain('before')
  expect(screen).toMatch(/data .* · reward model .* · rescore .* · align \(clha\) .* · evaluate /)
  const again = await run()
  expect(again.screen).toContain(
    `${3 * TRAIN_PROMPTS.length} of ${3 * TRAIN_PROMPTS.length} answers are known`,
  )
  expect(again.report.evaluation?.rows).toEqual(report.evaluation?.rows)
}, 60_000)
