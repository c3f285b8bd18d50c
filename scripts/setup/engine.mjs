// Step 3: compiles native/ into build/clha.node; only what changed.
//
// Most of the time goes into reading ATen's headers, so the files of a folder are compiled together. The loops of the kernels
// (cpu/loops/) are compiled once for each level of vector instructions; the addon chooses when it is loaded.
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, freemem } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { LEVELS } from './cpu.mjs'
import { CUDA_SOURCE, cudaSource, isCuda } from './cuda-source.mjs'
import { SetupError, tail } from './errors.mjs'
import { hashTree, listFiles, readJson, removeLeftovers, sha256, writeJson } from './files.mjs'
import { library } from './libtorch.mjs'
import { buildDir, nativeDir, platform, root, tilde } from './paths.mjs'
import { inParallel, run } from './run.mjs'

const objects = join(buildDir, 'engine')
const log = join(buildDir, 'logs/engine.log')
export const addon = join(buildDir, 'clha.node')
export const record = join(buildDir, 'engine.json')

const isHeader = (file) => file.endsWith('.h')
const isUnit = (file) => file.endsWith('.cc')
const isLoops = (file) => /^cpu\/loops\/[^/]*\.cc$/.test(file)

/** What the addon is made from, apart from compiler and libtorch: cheap enough to ask at every start. */
export const sourcesHash = () =>
  sha256(
    hashTree(nativeDir, (file) => isHeader(file) || isCuda(file) || isUnit(file)),
    hashTree(join(root, 'scripts/setup'), (file) => /^(engine|cpu|cuda-source)\.mjs$/.test(file)),
  )

/** Whether build/clha.node is what these sources give, and its libtorch still stands. */
export function engineReady() {
  const built = readJson(record)
  if (!built || !existsSync(addon) || built.sources !== sourcesHash()) return false
  if (process.env.LIBTORCH && resolve(process.env.LIBTORCH) !== built.libtorch) return false
  return existsSync(library(built.libtorch, 'torch_cpu'))
}

/** Why the addon of the record does not load on this machine; undefined where it does. */
export function loadProblem() {
  const code = loading(addon)
  const { status, stderr } = spawnSync(process.execPath, ['-e', code], { env: anyLevel(), encoding: 'utf8' })
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
  writeFileSync(join(objects, CUDA_SOURCE), cudaSource())
  const stale = plan.units.filter(
    (unit) => readJson(`${unit.object}.json`)?.hash !== unit.hash || !existsSync(unit.object),
  )
  let left = stale.length
  const tell = () => say(`compiling, ${left} of ${plan.units.length} parts left`)
  tell()
  const jobs = stale.map((unit) => async () => {
    await compileUnit(compiler, unit)
    left -= 1
    tell()
  })
  await inParallel(jobs, compileWidth())
  say('linking and loading it')
  if (portable) pointAtLibtorch(torch.path)
  await link(compiler, plan)
  removeOthers(plan.units)
  const { buildId, openmp } = plan
  const { path: libtorch, version, build } = torch
  writeJson(record, {
    levels: LEVELS.map(({ level }) => level),
    libtorch,
    version,
    build,
    compiler: compiler.version,
    buildId,
    openmp,
    sources: sourcesHash(),
  })
  const threads = openmp ? '' : ', one thread in own kernels (no OpenMP)'
  return `compiled for ${LEVELS.map(({ level }) => level).join(', ')}${threads}`
}

/** The files of a folder take about 2 GB to compile: no more at once than memory allows. */
const compileWidth = () => Math.max(1, Math.min(availableParallelism(), Math.floor(freemem() / 2e9)))

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
  const omp = openmpLibrary(torch.path, compiler)
  const flags = [
    // libtorch is a release build: it does not keep what debug checks in its headers ask for.
    ...'-std=c++20 -O2 -DNDEBUG -fPIC -DNAPI_VERSION=8 -D_GLIBCXX_USE_CXX11_ABI=1 -Wall'.split(' '),
    ...(omp ? ['-fopenmp'] : []),
    ...(torch.build === 'CUDA' ? ['-DCLHA_CUDA=1'] : []),
    ...(LEVELS.length > 1 ? ['-DCLHA_X86_LEVELS=1'] : []),
    `-DCLHA_LIBTORCH="${torch.version}"`,
    ...(portable ? portableFlags(torch) : []),
    ...(process.env.CXXFLAGS?.split(/\s+/).filter(Boolean) ?? []),
    ...[`-iquote${nativeDir}`, `-iquote${objects}`, ...includes.flatMap((path) => ['-isystem', path])],
  ]
  const base = sha256(
    ...flags,
    ...versions,
    compiler.version,
    torch.version,
    torch.build,
    platform,
    hashTree(nativeDir, isHeader),
    ...(portable ? [readFileSync(GLIBC_2_28, 'utf8')] : []),
  )
  const buildId = sha256(
    base,
    hashTree(nativeDir, (file) => isUnit(file) || isCuda(file)),
  ).slice(0, 16)
  const units = unitsOf(buildId).map(({ name, files, own = [], keep }) => {
    const hash = sha256(
      base,
      ...own,
      ...(keep ? [keep, ...HIDE] : []),
      ...files.flatMap((file) => [file, textOf(file)]),
      ...(files.some((file) => textOf(file).includes(CUDA_SOURCE)) ? [cudaSource()] : []),
    )
    return { name, files, hash, keep, args: [...flags, ...own], object: join(objects, `${name}.o`) }
  })
  return { units, buildId, openmp: omp !== null, libraries: linkArguments(torch, omp, portable) }
}

const textOf = (file) => readFileSync(join(nativeDir, file), 'utf8')

/**
 * What is compiled at once, the longest first: the files of a folder; the loops, once for each level, of which only the table stays
 * visible; and by itself what prints the build id, which changes with every source.
 */
function unitsOf(buildId) {
  const files = listFiles(nativeDir).filter(isUnit)
  const alone = files.filter((file) => !isLoops(file) && textOf(file).includes('CLHA_BUILD_ID'))
  const folders = new Map()
  for (const file of files.filter((file) => !isLoops(file) && !alone.includes(file))) {
    const folder = dirname(file) === '.' ? 'native' : dirname(file).replaceAll('/', '-')
    folders.set(folder, [...(folders.get(folder) ?? []), file])
  }
  const loops = files.filter(isLoops)
  const perLevel = loops.length === 0 ? [] : LEVELS
  return [
    ...[...folders].map(([name, files]) => ({ name, files })).sort((a, b) => b.files.length - a.files.length),
    ...perLevel.map(({ level, flags }) => {
      const table = `loops_${level}`
      // GCC warns of its own headers of intrinsics, and of vectors that no other object ever sees.
      const quiet = ['-Wno-psabi', '-Wno-maybe-uninitialized']
      return { name: table, files: loops, own: [...flags, ...quiet, `-DCLHA_LOOPS=${table}`], keep: table }
    }),
    ...alone.map((file) => ({
      name: file.replace(/\.cc$/, '').replaceAll('/', '-'),
      files: [file],
      own: [`-DCLHA_BUILD_ID="${buildId}"`],
    })),
  ]
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
const GLIBC_2_28 = join(root, 'scripts/setup/glibc_2_28.h')
const portableFlags = (torch) => [
  `-ffile-prefix-map=${torch.path}=libtorch`,
  `-ffile-prefix-map=${root}=clha`,
  '-include',
  GLIBC_2_28,
]

/**
 * Where an addon for other machines looks for libtorch: in a link beside itself. So libtorch is loaded as the addon's dependency, and
 * its loops call the addon's threads; opened before the addon, they would call libgomp's.
 */
const BESIDE = process.platform === 'darwin' ? '@loader_path/libtorch' : '$ORIGIN/libtorch'

export function pointAtLibtorch(path) {
  const [place, fresh] = [join(buildDir, 'libtorch'), join(buildDir, `libtorch.${process.pid}`)]
  rmSync(fresh, { force: true })
  symlinkSync(join(path, 'lib'), fresh)
  renameSync(fresh, place)
}

function linkArguments(torch, omp, portable) {
  const lib = join(torch.path, 'lib')
  const names = ['torch_cpu', 'c10', ...(torch.build === 'CUDA' ? ['torch_cuda', 'c10_cuda'] : [])]
  const folders = omp && dirname(omp) !== lib ? [lib, dirname(omp)] : [lib]
  const rpaths = (portable ? [BESIDE] : folders).map((folder) => `-Wl,-rpath,${folder}`)
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
  const joined = join(objects, `${unit.name}.cc`)
  writeFileSync(joined, unit.files.map((file) => `#include "${join(nativeDir, file)}"\n`).join(''))
  const args = [...unit.args, '-c', joined, '-o', unit.object]
  const { code, output } = await run(compiler.command, args, { cwd: root, log })
  if (code !== 0) throw buildError(`native/ (${unit.name}) does not compile with ${compiler.version}`, output)
  if (unit.keep && LEVELS.length > 1) await hideInlines(unit)
  writeJson(`${unit.object}.json`, { hash: unit.hash })
}

/** What stays of an object of loops: its table, and no code that runs when the addon is loaded, before the level is chosen. */
const HIDE = ['.group', '.init_array', '.rela.init_array'].map((section) => `--remove-section=${section}`)

/**
 * Inline functions of headers are in every object, and the linker takes one of them for all: one with instructions of a wide level
 * must not be it. So what is not the table becomes local to its object.
 */
async function hideInlines({ object, keep }) {
  const args = [...HIDE, '--wildcard', `--keep-global-symbol=*${keep}*`, object]
  const { code, output } = await run('objcopy', args, { log })
  if (code !== 0)
    throw new SetupError(
      'objcopy is missing or failed: it keeps code for other processors apart',
      `${tail(output)}\nDebian, Ubuntu: apt install binutils     Fedora, RHEL: dnf install binutils`,
    )
}

/** Linked beside the old addon and renamed: a process that runs with the old one keeps it. */
async function link(compiler, plan) {
  removeLeftovers(addon, '.tmp.node')
  const fresh = `${addon}.${process.pid}.tmp.node`
  const shared = process.platform === 'darwin' ? ['-bundle'] : ['-shared']
  const args = [...shared, '-o', fresh, ...plan.units.map((unit) => unit.object), ...plan.libraries]
  try {
    const { code, output } = await run(compiler.command, args, { cwd: root, log })
    if (code !== 0) throw buildError('the engine does not link', output)
    await tryLoading(fresh)
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

const loading = (path) => `require(${JSON.stringify(path)})`

/** A level that is asked for is no matter of whether the addon loads. */
const anyLevel = () => ({ ...process.env, CLHA_CPU_LEVEL: undefined })

/** Loads the addon in a process of its own: it must load, and bring no second OpenMP runtime. */
export async function tryLoading(path) {
  const code = `${loading(path)}
    const maps = process.platform === 'linux' ? require('fs').readFileSync('/proc/self/maps', 'utf8') : ''
    console.log('\\nopenmp ' + JSON.stringify([...new Set(maps.match(/\\/\\S*lib(?:gomp|omp|iomp5)[^\\s/]*/g))]))`
  const { code: status, output } = await run(process.execPath, ['-e', code], { env: anyLevel(), log })
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
  const parts = units.flatMap(({ object }) => [object, `${object}.json`, object.replace(/o$/, 'cc')])
  const kept = new Set([join(objects, CUDA_SOURCE), ...parts])
  for (const file of listFiles(objects))
    if (!kept.has(join(objects, file))) rmSync(join(objects, file), { force: true })
}
