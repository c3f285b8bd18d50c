import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { EXIT } from '../../src/exit-codes.js'
import { openRewardFunction, scoreByFunction } from '../../src/reward/reward-function.js'
import { openScoreCache } from '../../src/reward/score-cache.js'
import { example } from './fake-server.js'

const dir = mkdtempSync(join(tmpdir(), 'clha-function-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let made = 0
function moduleOf(code: string): string {
  const path = join(dir, `reward-${++made}.mjs`)
  writeFileSync(path, code)
  return path
}

const scores = async (code: string, examples = [example(1, ['a', 'bb']), example(2, ['ccc'])]) =>
  scoreByFunction(examples, await openRewardFunction(moduleOf(code)))

test('every answer gets what the function says, whether at once or later', async () => {
  const plain = await scores('export const score = (prompt, answer) => answer.length')
  expect(plain.rewards).toEqual([[1, 2], [3]])
  const later = await scores('export async function score(prompt, answer) { return -answer.length }')
  expect(later.rewards).toEqual([[-1, -2], [-3]])
})

test('it sees a lone question as text, and the dialogue as data', async () => {
  const one = { ...example(1, ['x']), prompt: [{ role: 'user' as const, content: 'four' }] }
  const code = 'export const score = (prompt, answer, messages) => prompt.length + 10 * messages.length'
  expect((await scores(code, [one])).rewards).toEqual([[14]])
})

test.each([
  ['export const score = 3', 'has no score'],
  ['export const other = () => 1', 'has no score'],
  ['export const score = (', "can't be loaded"],
  ["throw new Error('at once')", 'at once'],
])('a module that is none is named: %s', async (code, words) => {
  const path = moduleOf(code)
  await expect(openRewardFunction(path)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(new RegExp(`^reward_function: ${path}.*${words}`)),
    hint: expect.stringContaining('score(prompt, answer)'),
  })
})

test('a file that is not there is named', async () => {
  await expect(openRewardFunction(join(dir, 'none.mjs'))).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('none.mjs: no such file'),
  })
})

test.each([
  ["() => '1'", EXIT.usage, 'returned a string, no number'],
  ['() => undefined', EXIT.usage, 'returned undefined'],
  ['() => NaN', EXIT.numerics, 'returned NaN'],
  ['() => Infinity', EXIT.numerics, 'returned Infinity'],
  ["() => { throw new Error('oops') }", EXIT.usage, 'threw: oops'],
])('what is no reward is named with its row: %s', async (code, exitCode, words) => {
  const second = `export const score = (p, a) => a === 'ccc' ? (${code})() : 1`
  const { file } = example(2, [])
  await expect(scores(second)).rejects.toMatchObject({
    exitCode,
    message: expect.stringMatching(new RegExp(`^${file}:2: reward_function .*${words}`)),
  })
})

test('known scores belong to the file as it is: a changed one is asked again', async () => {
  const path = moduleOf('export const score = () => 1')
  const run = async () => {
    const reward = await openRewardFunction(path)
    const cache = openScoreCache(join(dir, 'scores'), reward.identity)
    const scored = await scoreByFunction([example(1, ['a', 'bb'])], reward, { cache })
    cache.close()
    return scored
  }
  expect(await run()).toEqual({ rewards: [[1, 1]], cached: 0 })
  expect(await run()).toEqual({ rewards: [[1, 1]], cached: 2 })
  writeFileSync(path, 'export const score = () => 2')
  expect(await run()).toEqual({ rewards: [[2, 2]], cached: 0 })
})

test('what the function changes in a dialogue stays its own', async () => {
  const messages = [{ role: 'user' as const, content: 'four' }]
  const one = { ...example(1, ['x', 'y']), prompt: messages }
  const code =
    "export const score = (p, answer, messages) => messages.push({ role: 'assistant', content: answer })"
  expect((await scores(code, [one])).rewards).toEqual([[2, 2]])
  expect(messages).toHaveLength(1)
})

test('a promise that nothing can settle any more is an error that names the row, not a silent end', async () => {
  const scoring = scores("export const score = (p, a) => a === 'ccc' ? new Promise(() => {}) : 1")
  const { file } = example(2, [])
  const failed = expect(scoring).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(new RegExp(`^${file}:2: reward_function .*can never settle`)),
  })
  const before = process.listenerCount('beforeExit')
  while (process.listenerCount('beforeExit') === before) await new Promise(setImmediate)
  process.emit('beforeExit', 0)
  await failed
  expect(process.listenerCount('beforeExit')).toBe(before)
})

test('a stop is heard while a slow function that never waits scores', async () => {
  const code = `export function score() {
    const end = Date.now() + 60
    while (Date.now() < end);
    return 1
  }`
  let stopped = false
  setTimeout(() => {
    stopped = true
  }, 100)
  const examples = Array.from({ length: 40 }, (_, i) => example(i + 1, ['a']))
  const reward = await openRewardFunction(moduleOf(code))
  const { rewards } = await scoreByFunction(examples, reward, { stopRequested: () => stopped })
  expect(rewards.length).toBeLessThan(20)
})
