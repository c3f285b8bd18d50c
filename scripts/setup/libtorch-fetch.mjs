// Fetches PyTorch's CPU wheel with pip and keeps only its libraries and headers, in the user's cache.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SetupError, tail } from './errors.mjs'
import { readJson, removeLeftovers, sha256OfFile, sizeOf, writeJson } from './files.mjs'
import { withLock } from './lock.mjs'
import { megabytes } from './output.mjs'
import { cacheDir, platform, setupWith, tilde, torchVersion, torchVersions } from './paths.mjs'
import { pipLog as log, pip, python } from './pip.mjs'
import { run } from './run.mjs'
import { checkWheel, cpuIndex, wheels } from './wheels.mjs'

/** The CUDA build has a folder of its own: it does not take the place of a CPU build that other checkouts use. */
const homeOf = (cuda) => join(cacheDir, `libtorch-${torchVersion}-${platform}${cuda ? '-cuda' : ''}`)
const markerOf = (home) => join(home, 'complete.json')
const unpacker = fileURLToPath(new URL('unpack.py', import.meta.url))

/**
 * The copy that an earlier set-up left in the cache, or null: a CUDA build was asked for, so it goes first. The marker
 * is written last, so it means "complete".
 */
export function privateCopy(inspect) {
  for (const home of [homeOf(true), homeOf(false)]) {
    const found = readJson(markerOf(home)) && inspect(join(home, 'torch'), 'private copy').torch
    if (found) return found
  }
  return null
}

/** Fetches, checks, unpacks; other checkouts that want the same copy wait. Returns the completeness marker. */
export async function fetchLibtorch(say, { acceptCudaWheel = false } = {}) {
  const wheel = wheels[platform]
  if (!wheel)
    throw new SetupError(
      `there is no PyTorch wheel for ${platform}`,
      `set LIBTORCH to a folder with lib/ and include/ of libtorch ${torchVersions}`,
    )
  const onWait = (pid) => say(`waiting for process ${pid ?? '?'}, which is fetching it`)
  const home = homeOf(acceptCudaWheel)
  await withLock(
    `${home}.lock`,
    () => (existsSync(markerOf(home)) ? undefined : fetchAlone(wheel, home, say, acceptCudaWheel)),
    { onWait },
  )
  return readJson(markerOf(home))
}

async function fetchAlone(wheel, home, say, acceptCudaWheel) {
  const work = `${home}.${process.pid}.part`
  removeLeftovers(home, '.part')
  mkdirSync(join(work, 'pip'), { recursive: true })
  try {
    const report = acceptCudaWheel ? await installCuda(wheel, work, say) : await unpackCpu(wheel, work, say)
    rmSync(join(work, 'pip'), { recursive: true, force: true })
    writeJson(join(work, 'complete.json'), { version: torchVersion, platform, ...report })
    rmSync(home, { recursive: true, force: true })
    renameSync(work, home)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function unpackCpu(wheel, work, say) {
  const path = await download(wheel, work, say)
  say('checking and unpacking it')
  const sha256 = await sha256OfFile(path)
  checkWheel(sha256, basename(path))
  const unpacked = await run(python, [unpacker, path, work, ...wheel.libraries], { log })
  if (unpacked.code !== 0) {
    const hint = `${tail(unpacked.output, 4)}\nunpacked it takes 480 MB in ${tilde(cacheDir)} (CLHA_CACHE moves it)`
    throw new SetupError("the wheel can't be unpacked", hint)
  }
  return { sha256, size: statSync(path).size, wheel: basename(path) }
}

const use = {
  what: 'libtorch',
  instead: `set LIBTORCH to a folder with lib/ and include/ of libtorch ${torchVersions}`,
}

const target = ({ tag }) => [
  '--only-binary=:all:',
  '--python-version=311',
  '--implementation=cp',
  '--abi=cp311',
  `--platform=${tag}`,
]

/** Tries CLHA_TORCH_INDEX alone if set; else the indexes pip is configured with, then PyTorch's CPU index. */
async function download(wheel, work, say) {
  say(`fetching PyTorch ${torchVersion}, about ${megabytes(wheel.size)}`)
  const own = process.env.CLHA_TORCH_INDEX
  const sources = own ? [[`--index-url=${own}`]] : [[], [`--index-url=${cpuIndex}`]]
  const outputs = []
  for (const source of sources) {
    const args = ['--no-deps', ...target(wheel), `--dest=${work}`, ...source, `torch==${wheel.version}`]
    const { code, output } = await pip('download', args, work, say, use)
    const file = readdirSync(work).find((name) => name.endsWith('.whl'))
    if (code === 0 && file) return join(work, file)
    outputs.push(tail(output, 2))
  }
  throw new SetupError(
    `PyTorch ${wheel.version} for ${platform} was not found`,
    await advice(wheel, work, outputs, say),
  )
}

/** What a person can do; asks whether the indexes have the CUDA build, which is never taken silently. */
async function advice(wheel, work, outputs, say) {
  const choices = [
    `LIBTORCH=/path/to/libtorch      a folder with lib/ and include/, such as …/site-packages/torch (${torchVersions})`,
    "CLHA_TORCH_INDEX=<url>          a package index that has PyTorch's CPU wheels",
  ]
  let cuda = ''
  if (wheel.cuda) {
    say('looking for another build')
    const args = [
      '--dry-run',
      '--quiet',
      '--report=-',
      '--no-deps',
      '--ignore-installed',
      `--target=${work}/none`,
      ...target(wheel),
      `torch==${torchVersion}`,
    ]
    const { code, output } = await pip('install', args, work, say, use)
    const url = code === 0 ? output.match(/"url":\s*"([^"]+torch-[^"]+\.whl)[^"]*"/)?.[1] : undefined
    if (url) {
      cuda = `Only the CUDA build was found: ${await remoteSize(url)}, and it needs CUDA's libraries beside it (several GB in all).\n`
      choices.push(`${setupWith('--accept-cuda-wheel')}      fetch it all the same`)
    }
  }
  return `${cuda}${outputs.join('\n')}\n${choices.join('\n')}\nthe whole log: ${tilde(log)}`
}

async function remoteSize(url) {
  try {
    const answer = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })
    const size = Number(answer.headers.get('content-length'))
    if (answer.ok && size) return `a wheel of ${megabytes(size)}`
  } catch {}
  return 'a wheel of unknown size'
}

/** pip takes `--platform` to the letter, and CUDA's libraries are built for older systems than PyTorch is. */
const olderPlatforms = ({ tag }) =>
  [...Array.from({ length: 23 }, (_, i) => `_2_${27 - i}`), '2014', '2010', '1'].map(
    (version) => `--platform=${tag.replace(/^manylinux_2_28/, `manylinux${version}`)}`,
  )

/** The CUDA build finds its CUDA libraries beside it, so pip installs all of them into one private folder. */
async function installCuda(wheel, work, say) {
  say('fetching the CUDA build of PyTorch and its libraries, several GB')
  const index = process.env.CLHA_TORCH_INDEX ? [`--index-url=${process.env.CLHA_TORCH_INDEX}`] : []
  const args = [`--target=${work}`, ...target(wheel), ...olderPlatforms(wheel), ...index]
  // Without the exception an index that has both builds would give the CPU one.
  const { code, output } = await pip(
    'install',
    [...args, `torch==${torchVersion},!=${torchVersion}+cpu`],
    work,
    say,
    use,
  )
  if (code !== 0)
    throw new SetupError(
      'the CUDA build could not be fetched',
      `${tail(output, 6)}\nthe whole log: ${tilde(log)}`,
    )
  return { sha256: null, size: sizeOf(work), wheel: 'CUDA build, installed by pip' }
}
