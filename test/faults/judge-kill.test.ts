import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readComparison } from '../../src/verdicts/comparison-file.js'
import { tracked } from '../helpers/children.js'
import { temporaryFolder } from '../helpers/folders.js'
import { compileSources } from '../helpers/sources.js'
import { chat, honest } from '../judges/judges.js'
import { fakeServer } from '../reward/fake-server.js'

test('kill -9 in the middle loses no verdict, and nothing that was answered is asked twice', async () => {
  const folder = temporaryFolder()
  compileSources(folder)
  const program = join(folder, 'run.mjs')
  fs.writeFileSync(
    program,
    `import { main } from './dist/cli/main.js'\nprocess.exitCode = await main(process.argv.slice(2))\n`,
  )
  const write = (name: string, answer: (i: number) => string) => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ prompt: `Question ${i}?`, answer: answer(i) }))
    fs.writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return join(folder, name)
  }
  const inputs = [write('one.jsonl', (i) => `${i}`), write('two.jsonl', () => '12.5')]
  const file = join(folder, 'verdicts.jsonl')
  /** Requests whose answers left whole, by what was asked. */
  const answered = new Map<string, number>()
  let whole = 0
  const { url, asked } = await fakeServer(async ({ body }, response) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    response.once('finish', () => {
      const key = JSON.stringify(body)
      answered.set(key, (answered.get(key) ?? 0) + 1)
      whole++
      atAnswer()
    })
    return chat(honest(body))
  })
  let atAnswer = () => {}
  const flags = [
    '--output',
    file,
    '--judge-endpoint',
    `${url}/v1`,
    '--judge-model',
    'judge-1',
    '--judge-concurrency',
    '3',
  ]
  const run = (killAt: number) =>
    new Promise<number | string>((resolve) => {
      const child = tracked(
        spawn(process.execPath, [program, 'judge', ...inputs, ...flags], { stdio: 'ignore' }),
      )
      atAnswer = () => void (whole >= killAt && child.kill('SIGKILL'))
      child.once('exit', (code, signal) => resolve(code ?? signal ?? ''))
    })
  expect(await run(15)).toBe('SIGKILL')
  expect(await run(40)).toBe('SIGKILL')
  expect(await run(1000)).toBe(0)
  const { rows } = readComparison(file)
  expect(rows).toHaveLength(60)
  expect(new Set(rows.map(({ item, shown }) => `${item} ${shown}`)).size).toBe(60)
  expect(rows.filter(({ verdict }) => verdict === 'error')).toEqual([])
  // Three requests were under way at each of the two kills.
  expect(asked.length).toBeGreaterThanOrEqual(60)
  expect(asked.length).toBeLessThanOrEqual(66)
  const before = asked.length
  expect(await run(1000)).toBe(0)
  expect(asked).toHaveLength(before)
})
