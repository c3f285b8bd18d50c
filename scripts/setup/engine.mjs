// Step 3: compiles native/*.cc for this machine into build/clha.node; only what changed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, freemem } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { cpuLevel, LEVEL_FLAGS } from './cpu.mjs'
import { SetupError, tail } from './errors.mjs'
import { hashTree, readJson, removeLeftovers, sha256, writeJson } from './files.mjs'
import { library } from './libtorch.mjs'
import { buildDir, nativeDir, platform, root, tilde } from './paths.mjs'
import { inParallel, run } from './run.mjs'

const objects = join(buildDir, 'engine')
const log = join(buildDir, 'logs/engine.log')
export const addon = join(buildDir, 'clha.node')
export const record = join(buildDir, 'engine.json')

const isHeader = (file) => file.endsWith('.h')
const isIncluded = (file) => file.endsWith('.inc')
const isUnit = (file) => file.endsWith('.cc')
const isKernel = (file) => /^(kernels|attention)[^/]*\.cc$/.test(file)

/** What the addon is made from, apart from compiler and libtorch: cheap enough to ask at every start. */
export const sourcesHash = () =>
  sha256(
    hashTree(nativeDir, (file) => isHeader(file) || isIncluded(file) || isUnit(file)),
    hashTree(join(root, 'scripts/setup'), (file) => /^(engine|cpu)\.mjs$/.test(file)),
  )

/** Whether build/clha.node is what these sources give on this machine, and its libtorch still stands. */
export function engineReady() {
  const built = readJson(record)
  if (!built || !existsSync(addon) || built.sources !== sourcesHash() || built.level !== cpuLevel())
    return false
  if (process.env.LIBTORCH && resolve(process.env.LIBTORCH) !== built.libtorch) return false
  return existsSync(library(built.libtorch, 'torch_cpu'))
}

/** Why the addon of the record does not load on this machine; undefined where it does. */
export function loadProblem() {
  const { prebuilt, libtorch } = readJson(record)
  const code = loading(addon, prebuilt ? libtorch : undefined)
  const { status, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  if (status === 0) return undefined
  return stderr.match(/^Error: (.*)$/m)?.[1] ?? `node ended with ${status ?? 'a signal'}`
}

/** @returns {Promise<{command: string, version: string, clang: boolean}>} $CXX, else g++, else clang++ */
export async function findCompiler() {
  const mac = process.platform === 'darwin'
  const candidates = process.env.CXX
    ? [process.env.CXX]
    : mac
      ? ['clang++', 'g++']
      : ['g++', 'c++', 'clang++']
  for (const command of candidates) {
    const { code, output } = await run(command, ['--version'])
    if (code === 0) return { command, version: output.split('\n')[0].trim(), clang: /clang/i.test(output) }
  }
  const install = mac
    ? 'xcode-select --install'
    : 'Debian, Ubuntu: apt install g++     Fedora, RHEL: dnf install gcc-c++'
  throw new SetupError(
    `no C++ compiler was found (looked for ${candidates.join(', ')})`,
    `${install}\nor name one with CXX=/path/to/g++`,
  )
}

/**
 * @param options.portable  for other machines: no path of this one in it, and nothing newer than glibc 2.28 asked for
 * @returns what to print on the step's line; writes build/clha.node and build/engine.json
 */
export async function compileEngine(say, torch, { portable = false } = {}) {
  const compiler = await findCompiler()
  const plan = planBuild(torch, compiler, portable)
  if (plan.units.length === 0)
    throw new SetupError(
      `${tilde(nativeDir)} holds no .cc file`,
      'the checkout is not complete: git status shows what is missing',
    )
  mkdirSync(objects, { recursive: true })
  rmSync(log, { force: true })
  const stale = plan.units.filter(
    (unit) => readJson(`${unit.object}.json`)?.hash !== unit.hash || !existsSync(unit.object),
  )
  let left = stale.length
  const tell = () => say(`compiling for ${plan.level}, ${left} of ${plan.units.length} files left`)
  tell()
  const jobs = stale.map((unit) => async () => {
    await compileUnit(compiler, unit)
    left -= 1
    tell()
  })
  await inParallel(jobs, compileWidth())
  say('linking and loading it')
  await link(compiler, plan, portable ? torch.path : undefined)
  removeOthers(plan.units)
  const { level, buildId, openmp } = plan
  const { path: libtorch, version, build } = torch
  writeJson(record, {
    level,
    libtorch,
    version,
    build,
    compiler: compiler.version,
    buildId,
    openmp,
    sources: sourcesHash(),
  })
  const threads = openmp ? '' : ', one thread in own kernels (no OpenMP)'
  return `compiled for this machine (${level}${threads})`
}

/** An ATen unit takes about 1.5 GB to compile: no more at once than memory allows. */
const compileWidth = () => Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 1.5e9)))

function planBuild(torch, compiler, portable) {
  const require = createRequire(join(root, 'package.json'))
  const packageDir = (name) => dirname(require.resolve(`${name}/package.json`))
  const headers = ['node-addon-api', 'node-api-headers']
  const versions = headers.map((name) => readJson(join(packageDir(name), 'package.json')).version)
  const includes = [
    packageDir('node-addon-api'),
    join(packageDir('node-api-headers'), 'include'),
    join(torch.path, 'include'),
    join(torch.path, 'include/torch/csrc/api/include'),
  ]
  const level = cpuLevel()
  const omp = openmpLibrary(torch.path, compiler)
  const flags = [
    ...'-std=c++20 -O2 -fPIC -DNAPI_VERSION=8 -D_GLIBCXX_USE_CXX11_ABI=1 -Wall'.split(' '),
    ...(omp ? ['-fopenmp'] : []),
    ...(torch.build === 'CUDA' ? ['-DCLHA_CUDA=1'] : []),
    `-DCLHA_CPU_LEVEL="${level}"`,
    `-DCLHA_LIBTORCH="${torch.version}"`,
    ...(portable ? portableFlags(torch) : []),
    ...(process.env.CXXFLAGS?.split(/\s+/).filter(Boolean) ?? []),
  ]
  const files = readdirSync(nativeDir).filter(isUnit).sort()
  const base = sha256(
    ...flags,
    ...versions,
    compiler.version,
    torch.version,
    torch.build,
    torch.path,
    platform,
    hashTree(nativeDir, isHeader),
  )
  const text = (file) => readFileSync(join(nativeDir, file), 'utf8')
  // A file that one unit alone includes counts with it.
  const included = readdirSync(nativeDir).filter(isIncluded)
  const whole = (file) =>
    [text(file), ...included.filter((name) => text(file).includes(`"${name}"`)).map(text)].join('')
  const buildId = sha256(base, ...files.flatMap((file) => [file, whole(file)])).slice(0, 16)
  const namesBuildId = (file) => text(file).includes('CLHA_BUILD_ID')
  const headerNamesIt = readdirSync(nativeDir).filter(isHeader).some(namesBuildId)
  const units = files.map((file) => {
    // The build id changes with every source: only the files that print it are compiled again for it.
    const own = [
      ...(isKernel(file) ? LEVEL_FLAGS[level].split(' ') : []),
      ...(headerNamesIt || namesBuildId(file) ? [`-DCLHA_BUILD_ID="${buildId}"`] : []),
    ]
    const hash = sha256(base, ...own, whole(file))
    const source = relative(root, join(nativeDir, file))
    const args = [...flags, ...own, ...includes.flatMap((path) => ['-isystem', path]), '-c', source]
    return { file, hash, args, object: join(objects, file.replace(/\.cc$/, '.o')) }
  })
  return { units, level, buildId, openmp: omp !== null, libraries: linkArguments(torch, omp, portable) }
}

/**
 * The OpenMP runtime that libtorch itself uses: a second one in the process would double its threads.
 * clang emits calls that libgomp lacks, so with clang own kernels run on one thread.
 */
function openmpLibrary(torch, { clang }) {
  if (clang) return null
  for (const folder of [join(torch, 'lib'), resolve(torch, '../torch.libs'), join(torch, 'torch.libs')]) {
    const name = existsSync(folder) && readdirSync(folder).find((file) => file.startsWith('libgomp'))
    if (name) return join(folder, name)
  }
  return null
}

/** Messages of libtorch's headers name files; glibc_2_28.h keeps to the older of two versions of a function. */
const portableFlags = (torch) => [
  `-ffile-prefix-map=${torch.path}=libtorch`,
  `-ffile-prefix-map=${root}=clha`,
  '-include',
  join(root, 'scripts/setup/glibc_2_28.h'),
]

function linkArguments(torch, omp, portable) {
  const lib = join(torch.path, 'lib')
  const names = ['torch_cpu', 'c10', ...(torch.build === 'CUDA' ? ['torch_cuda', 'c10_cuda'] : [])]
  const folders = omp && dirname(omp) !== lib ? [lib, dirname(omp)] : [lib]
  const rpaths = portable ? [] : folders.map((folder) => `-Wl,-rpath,${folder}`)
  if (process.platform === 'darwin')
    return ['-undefined', 'dynamic_lookup', `-L${lib}`, ...names.map((name) => `-l${name}`), ...rpaths]
  // --no-as-needed: a CUDA library that no symbol refers to must still be loaded, to register its kernels.
  return [
    '-Wl,--no-as-needed',
    `-L${lib}`,
    ...names.map((name) => `-l${name}`),
    ...(omp ? [omp] : []),
    ...rpaths,
  ]
}

async function compileUnit(compiler, unit) {
  rmSync(`${unit.object}.json`, { force: true })
  const { code, output } = await run(compiler.command, [...unit.args, '-o', unit.object], { cwd: root, log })
  if (code !== 0) throw buildError(`native/${unit.file} does not compile with ${compiler.version}`, output)
  writeJson(`${unit.object}.json`, { hash: unit.hash })
}

/** Linked beside the old addon and renamed: a process that runs with the old one keeps it. */
async function link(compiler, plan, preload) {
  removeLeftovers(addon, '.tmp.node')
  const fresh = `${addon}.${process.pid}.tmp.node`
  const shared = process.platform === 'darwin' ? ['-bundle'] : ['-shared']
  const args = [...shared, '-o', fresh, ...plan.units.map((unit) => unit.object), ...plan.libraries]
  try {
    const { code, output } = await run(compiler.command, args, { cwd: root, log })
    if (code !== 0) throw buildError('the engine does not link', output)
    await tryLoading(fresh, preload)
    putInPlace(fresh)
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** The record goes first: an interruption leaves an addon without one, which is made again, never one with another's. */
export function putInPlace(fresh) {
  rmSync(record, { force: true })
  renameSync(fresh, addon)
}

const LOADER = join(root, 'scripts/setup/load.cjs')
const loading = (path, libtorch) =>
  `require(${JSON.stringify(LOADER)}).loadAddon(${JSON.stringify(path)}, ${JSON.stringify(libtorch)})`

/** Loads the addon in a process of its own: it must load, and bring no second OpenMP runtime. */
export async function tryLoading(path, libtorch) {
  const code = `${loading(path, libtorch)}
    const maps = process.platform === 'linux' ? require('fs').readFileSync('/proc/self/maps', 'utf8') : ''
    console.log('\\nopenmp ' + JSON.stringify([...new Set(maps.match(/\\/\\S*lib(?:gomp|omp|iomp5)[^\\s/]*/g))]))`
  const { code: status, output } = await run(process.execPath, ['-e', code], { log })
  if (status !== 0) throw buildError('the engine was compiled, but does not load', output)
  const runtimes = JSON.parse(output.match(/^openmp (.*)$/m)[1])
  if (runtimes.length > 1)
    throw new SetupError(
      'the engine would load two OpenMP runtimes',
      `${runtimes.join('\n')}\nunset LD_PRELOAD and LD_LIBRARY_PATH, or give another libtorch with LIBTORCH`,
    )
}

function buildError(message, output) {
  if (/No space left on device|Disk quota exceeded/.test(output))
    return new SetupError(
      `the disk is full: ${message}`,
      `make room in ${tilde(buildDir)} and for the compiler's files (TMPDIR), then run the same command again: it goes on`,
    )
  const errors = output.split('\n').filter((line) => /\berror\b/i.test(line))
  const lines = errors.length ? errors.slice(0, 6).join('\n') : tail(output)
  return new SetupError(message, `${lines}\nthe whole log: ${tilde(log)}`)
}

function removeOthers(units) {
  const kept = new Set(units.flatMap(({ object }) => [object, `${object}.json`]))
  for (const file of readdirSync(objects))
    if (!kept.has(join(objects, file))) rmSync(join(objects, file), { force: true })
}
