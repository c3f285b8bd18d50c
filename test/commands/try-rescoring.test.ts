import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rescore } from '../../src/commands/rescore/rescore.js'
import { tryRescoring } from '../../src/commands/try-rescoring/try-rescoring.js'
import { createRandom } from '../../src/random.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, typed, writeFiles } from './eval-folder.js'

/** Pairs scored by a good judge, and by one that errs. */
function scoredFile(n: number): { dir: string; data: string } {
  const dir = tempFolder('scorers')
  const random = createRandom('file')
  const row = (i: number) => {
    const [good, poor] = [random.normal() + 1, random.normal() + 0.3]
    const scores = { good_chosen: good, good_rejected: 0, poor_chosen: poor, poor_rejected: 0 }
    return { prompt: `question ${i}`, chosen: `better ${i}`, rejected: `worse ${i}`, ...scores }
  }
  const data = join(dir, 'scored.jsonl')
  writeFileSync(data, Array.from({ length: n }, (_, i) => `${JSON.stringify(row(i))}\n`).join(''))
  return { dir, data }
}

test('try-rescoring: a row for each scorer, for all together, level and second labels, and every trial in a file', async () => {
  const { dir, data } = scoredFile(220)
  const settings = {
    trainDataset: data,
    rewardColumn: ['good', 'poor'],
    labelError: 0.1,
    outputDir: join(dir, 'trials'),
  }
  const { config, ui, screen } = await call(settings)
  const { cells } = await tryRescoring({ repeats: 1 })(config, ui, typed())
  expect(cells.map(({ scorer }) => scorer)).toEqual(
    [0, 100].flatMap(() => ['good', 'poor', 'all, weighed'].flatMap((name) => [name, name, name, name])),
  )
  expect(cells.slice(0, 4).map(({ level }) => level)).toEqual([0, 0.1, 0.25, 0.4])
  expect(cells[0].trials[0]).toMatchObject({ labels: 1 })
  const kept = JSON.parse(readFileSync(join(dir, 'trials', 'trials.json'), 'utf8'))
  expect(kept.cells).toEqual(JSON.parse(JSON.stringify(cells)))
  expect(screen()).toMatch(/with 100 second labels[\s\S]*all, weighed +40 %/)
})

test('rescore with two columns: each scorer is weighed and said, its rewards stay with the answers', async () => {
  const { dir, data } = scoredFile(220)
  const outputDir = join(dir, 'rescored')
  const { config, ui, screen } = await call({ trainDataset: data, rewardColumn: ['good', 'poor'], outputDir })
  await rescore(config, ui, typed())
  expect(screen()).toMatch(/good: agrees with .* of the labels, weight [\d.]+ %\n.*poor: agrees/)
  const [first] = readFileSync(join(outputDir, 'rescored.jsonl'), 'utf8').split('\n')
  const { candidates } = JSON.parse(first).example
  expect(Object.keys(candidates[0].rewards)).toEqual(['good', 'poor'])
  expect(candidates[1].rewards).toEqual({ good: 0, poor: 0 })
})

test('a column that a row lacks is named with its row', async () => {
  const { dir, data } = scoredFile(220)
  const { config, ui } = await call({
    trainDataset: data,
    rewardColumn: ['good', 'none'],
    outputDir: join(dir, 'x'),
  })
  await expect(rescore(config, ui, typed())).rejects.toThrow(
    /scored\.jsonl:1: an answer has no reward in none/,
  )
})

test('two reward models score one after the other; the lists say what each said, and their scores are kept apart', async () => {
  const { dir, data } = scoredFile(210)
  const { reward, second } = await writeFiles(join(dir, 'models'))
  const outputDir = join(dir, 'by-models')
  const settings = { trainDataset: data, rewardModel: [reward, second], labelError: 0.1, outputDir }
  const { config, ui, screen } = await call(settings)
  await rescore(config, ui, typed())
  expect(screen()).toContain(`scoring with ${second}`)
  const { scorers } = JSON.parse(readFileSync(join(outputDir, 'audit.json'), 'utf8'))
  expect(scorers.map(({ name }: { name: string }) => name)).toEqual([reward, second])
  const alone = await call({ ...settings, rewardModel: second, outputDir: join(dir, 'alone') })
  await rescore(alone.config, alone.ui, typed())
  const agreed = JSON.parse(readFileSync(join(dir, 'alone', 'audit.json'), 'utf8')).total.agreement
  expect(scorers[1].agreement).toEqual(agreed)
})
