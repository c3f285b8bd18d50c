/** The file of `clha reward score` holds what the data holds, and the scores. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { rewardScore } from '../../src/commands/reward-score/reward-score.js'
import { readExamples } from '../../src/data/read/read-examples.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, typed } from './eval-folder.js'

const user = (content: string) => [{ role: 'user', content }]
const said = (content: string, more = {}) => [{ role: 'assistant', content, ...more }]
const calls = (city: string) => ({
  tool_calls: [{ type: 'function', function: { name: 'w', arguments: { city } } }],
})
const tools = [{ type: 'function', function: { name: 'w' } }]

/** Scores rows by their length. */
async function scored(rows: object[]) {
  const dir = tempFolder('reward-score')
  const [data, rule, outputFile] = ['data.jsonl', 'rule.mjs', 'scored.jsonl'].map((name) => join(dir, name))
  writeFileSync(data, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  writeFileSync(rule, 'export const score = (prompt, answer) => answer.length')
  const values = { trainDataset: data, rewardFunction: rule, outputFile, outputDir: join(dir, 'run') }
  const { config, ui, screen } = await call({ ...values, maxNewTokens: undefined })
  await rewardScore(config, ui, typed())
  const reads = (file: string) => readExamples(file, { minCandidates: 1 })
  return { before: (await reads(data)).examples, after: (await reads(outputFile)).examples, screen: screen() }
}

test('ranks, models, votes, annotators, sources, tools and their calls are in the file of scores', async () => {
  const { before, after, screen } = await scored([
    { id: 'list', source: 'web', prompt: 'p1', completions: ['a', 'bb', 'c'], ranks: [1, 2, 3], models: ['m', 'n', 'o'] },
    { id: 'votes', source: 'web', prompt: 'p2', completions: ['a', 'bb'], votes: [3, 1] },
    { id: 'annotator', source: 'web', prompt: 'p3', chosen: 'a', rejected: 'bb', annotator: 'ann' },
    { id: 'models', source: 'web', prompt: 'p4', completions: ['a', 'bb'], ranks: [2, 1], models: ['m', 'n'] },
    { id: 'calls', source: 'agents', prompt: user('Weather?'), chosen: said('', calls('Rome')), rejected: said('Dunno.'), tools },
    { id: 'thoughts', source: 'agents', prompt: user('Why?'), chosen: said('a', { reasoning_content: 't' }), rejected: said('bb') },
    { id: 'alone', source: 'web', prompt: 'p5', completions: ['a'] },
  ]) // biome-ignore format: a row a line
  const kept = before.map(({ file: _, candidates, ...rest }) => ({
    ...rest,
    candidates: candidates.map((one) => ({ ...one, reward: expect.any(Number) })),
  }))
  expect(after).toMatchObject(kept)
  expect(after[0].candidates.map(({ reward }) => reward)).toEqual([1, 2, 1])
  expect(screen).not.toContain('left out')
})

test('a row that a list has no place for is named; so are votes on more than two answers', async () => {
  const [good, bad] = [said('', calls('Rome')), said('Dunno.')]
  const { after, screen } = await scored([
    { prompt: user('Weather?'), chosen: [good, said('', calls('Oslo'))], rejected: [bad], tools },
    { prompt: 'q', completions: ['a', 'b', 'c'], ranks: [[1, 2, 3], [1, 2, 3], [2, 1, 3]] },
  ]) // biome-ignore format: a row a line
  expect(after.map(({ prompt, preferences }) => [prompt, preferences.length])).toEqual([['q', 3]])
  expect(screen).toContain('data.jsonl:1 is left out: tool calls and reasoning have no place in it')
  expect(screen).toContain('of 1 row with votes of several people the file holds the label that most gave')
})
