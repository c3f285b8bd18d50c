/** Runs `clha data` in a folder of its own, with small data files in it. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, expect } from 'vitest'
import { main } from '../../src/cli/main.js'
import { Sink } from '../helpers/sink.js'

export const dir = fs.mkdtempSync(join(tmpdir(), 'clha-data-'))
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }))

export const path = (name: string) => join(dir, name)
export const put = (name: string, rows: readonly (object | string)[]) => {
  fs.writeFileSync(path(name), rows.map((r) => `${typeof r === 'string' ? r : JSON.stringify(r)}\n`).join(''))
  return path(name)
}
export const rowsOf = (name: string) =>
  fs
    .readFileSync(path(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
export const jsonOf = (name: string) => JSON.parse(fs.readFileSync(path(name), 'utf8'))

/** The last line of `--json`. */
export const resultOf = (out: string) => JSON.parse(out.trim().split('\n').at(-1) as string).result

export async function clha(...argv: string[]) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(['data', ...argv], { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} })
  expect(stderr.text).not.toMatch(/unexpected:/)
  return { code, out: stdout.text, err: stderr.text }
}

/** Nothing but what was there before: no output, no staging folder. */
export async function refused(argv: string[], ...texts: (string | RegExp)[]) {
  const before = fs.readdirSync(dir)
  const { code, err } = await clha(...argv)
  expect(code).toBe(2)
  for (const text of texts) expect(err).toMatch(text)
  expect(fs.readdirSync(dir)).toEqual(before)
}

export const turn = (role: string, content: string) => ({ role, content })
export const pair = (id: string, question: string, chosen: string, rejected: string, source = 'own') => ({
  id,
  source,
  prompt: [turn('user', question)],
  chosen: [turn('assistant', chosen)],
  rejected: [turn('assistant', rejected)],
})
export const many = (n: number, source = 'own') =>
  Array.from({ length: n }, (_, i) => pair(`${source}-${i}`, `Question ${i}?`, `Answer ${i}.`, 'No.', source))

export const prefs = put('prefs.jsonl', [
  ...many(40),
  '{"prompt":',
  pair('empty', 'Anyone?', 'Yes.', ' '),
  ...many(20, 'web').map((row) => ({ ...row, prompt: [turn('user', `${row.id}?`)] })),
])
