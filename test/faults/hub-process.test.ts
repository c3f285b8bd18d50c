// Two processes that want the same model at once: one fetches, the other waits, both use it.
import { execFile } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { writeFiles } from '../commands/eval-folder.js'
import { temporaryFolder } from '../helpers/folders.js'
import { startHub } from '../hub/hub-server.js'

const clha = fileURLToPath(new URL('../../clha', import.meta.url))

test('two processes at once fetch each file one time and give the same answer', async () => {
  const { model } = await writeFiles(temporaryFolder())
  const names = fs.readdirSync(model).filter((name) => fs.statSync(join(model, name)).isFile())
  const files = Object.fromEntries(names.map((name) => [name, fs.readFileSync(join(model, name))]))
  const hub = await startHub({ 'org/tiny': { files } })
  hub.faults.delay = 2000
  const home = temporaryFolder()
  const env = { ...process.env, HF_ENDPOINT: hub.endpoint, HF_HOME: home, HF_HUB_CACHE: '', HF_TOKEN: '' }
  const argv = ['generate', '--model-name-or-path', 'org/tiny', '--prompt', 'hi', '--max-new-tokens', '4']
  const run = () =>
    promisify(execFile)(process.execPath, [clha, ...argv, '--threads', '1', '--json'], { env })
  const answer = async () => JSON.parse((await run()).stdout.trim().split('\n').at(-1) as string)
  const [a, b] = await Promise.all([answer(), answer()])
  expect(a.result.answers).toEqual(b.result.answers)
  expect(hub.seen.filter(({ host }) => host === 'cdn').length).toBe(1)
  const offline = { ...env, HF_HUB_OFFLINE: '1', HF_ENDPOINT: 'http://127.0.0.1:9' }
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [clha, ...argv, '--threads', '1', '--json'],
    { env: offline },
  )
  expect(JSON.parse(stdout.trim().split('\n').at(-1) as string).result.answers).toEqual(a.result.answers)
})
