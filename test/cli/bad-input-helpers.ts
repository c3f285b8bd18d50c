/** Commands on input that is wrong: what they say, how they end, and what they leave behind. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect } from 'vitest'
import { main } from '../../src/cli/main.js'
import { type Files, writeFiles } from '../commands/eval-folder.js'
import { Sink } from '../helpers/sink.js'

/** Tiny models and data, made once for a test file. */
export function badInputFolder(): Files {
  const files = {} as Files
  beforeAll(async () => {
    Object.assign(files, await writeFiles(fs.mkdtempSync(join(tmpdir(), 'clha-bad-'))))
  })
  afterAll(() => fs.rmSync(files.dir, { recursive: true, force: true }))
  return files
}

let calls = 0

/** Runs a command with an output folder of its own; `$out` in an argument stands for it. */
export async function call(files: Files, argv: readonly string[]) {
  calls += 1
  const out = join(files.dir, `out-${calls}`)
  const stdout = new Sink()
  const stderr = new Sink()
  const args = argv.map((arg) => arg.replace('$out', out))
  const code = await main(args, { stdin: Readable.from(['']), stdout, stderr, env: {}, exit() {} })
  return { code, out, said: stdout.text, complaint: stderr.text }
}

/**
 * The command is refused with this exit code and these texts (place, reason, remedy), is no bug, shows no stack, and
 * writes nothing but the list of skipped rows.
 */
export async function refused(
  files: Files,
  argv: readonly string[],
  texts: readonly (string | RegExp)[],
  exitCode = 2,
) {
  const { code, out, complaint } = await call(files, argv)
  expect(complaint).not.toMatch(/unexpected:|this is a bug|\n\s+at /)
  for (const text of texts) expect(complaint).toMatch(text)
  expect(code).toBe(exitCode)
  const left = fs.existsSync(out) ? fs.readdirSync(out) : []
  expect(left.filter((name) => name !== 'skipped.jsonl' && name !== '.lock')).toEqual([])
}

/** A file in the folder. */
export function put(files: Files, name: string, content: string | Uint8Array): string {
  const path = join(files.dir, name)
  fs.mkdirSync(join(path, '..'), { recursive: true })
  fs.writeFileSync(path, content)
  return path
}

/** A copy of a model folder, to be spoilt. */
export function copyOf(files: Files, which: 'model' | 'reward', name: string): string {
  const path = join(files.dir, name)
  fs.cpSync(files[which], path, { recursive: true })
  return path
}

export const lines = (...rows: unknown[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')
