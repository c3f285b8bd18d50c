// How large files, functions and the native rooms are, against the limits the project keeps. Exit 8 when one is broken. Generated files are exempt.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { functionsOf } from './functions.mjs'
import { listFiles } from './setup/files.mjs'
import { root } from './setup/paths.mjs'

const LIMITS = { median: 90, p90: 220, typescript: 400, native: 300, function: 60, parameters: 5 }

/** Lines of native code in all, by room: the door to libtorch, what runs around it and its threads, kernels for the CPU and for a GPU. */
const NATIVE_ROOMS = { door: 900, runtime: 900, 'runtime/threads': 900, cpu: 2300, linear: 800, cuda: 1400 }

const lineCount = (text) => text.split('\n').length - (text.endsWith('\n') ? 1 : 0)

/** Files below `folder` with their lines, longest first. */
function measure(folder, isWanted) {
  return listFiles(join(root, folder))
    .filter((file) => isWanted(file) && !/\.generated\./.test(file))
    .map((file) => ({
      file: `${folder}/${file}`,
      lines: lineCount(readFileSync(join(root, folder, file), 'utf8')),
    }))
    .sort((a, b) => b.lines - a.lines)
}

/** The value below which a share `q` of the sorted numbers lies (nearest rank). */
export function quantile(numbers, q) {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
}

/** Every function of src over a limit, as a sentence. */
export function largeFunctions(folder = root) {
  return allFunctions(folder).flatMap(({ file, line, name, lines, parameters }) => [
    ...(lines > LIMITS.function
      ? [`${file}:${line}: ${name} has ${lines} lines, more than ${LIMITS.function}`]
      : []),
    ...(parameters > LIMITS.parameters
      ? [`${file}:${line}: ${name} takes ${parameters} parameters, more than ${LIMITS.parameters}`]
      : []),
  ])
}

const allFunctions = (folder) =>
  listFiles(join(folder, 'src'))
    .filter((file) => file.endsWith('.ts') && !/\.generated\./.test(file))
    .flatMap((file) =>
      functionsOf(join(folder, 'src', file)).map((found) => ({ ...found, file: `src/${file}` })),
    )

/** The value of each limit today. */
function figuresOf(src, native, rooms) {
  const functions = allFunctions(root)
  const largest = (key) => functions.reduce((most, found) => (found[key] > most[key] ? found : most))
  const [long, wide] = [largest('lines'), largest('parameters')]
  const figure = (name, value, limit, where = '') => ({ name, value, limit, where })
  return [
    figure('lines of a file in src, median', src.median, LIMITS.median),
    figure('lines of a file in src, 90th percentile', src.p90, LIMITS.p90),
    figure('lines of a file in src', src.longest.lines, LIMITS.typescript, src.longest.file),
    figure('lines of a native file', native[0].lines, LIMITS.native, native[0].file),
    figure('lines of a function', long.lines, LIMITS.function, `${long.file} ${long.name}`),
    figure('parameters of a function', wide.parameters, LIMITS.parameters, `${wide.file} ${wide.name}`),
    ...rooms.map(({ room, lines, limit }) => figure(`lines of native/${room}`, lines, limit)),
  ]
}

/** The room of a native file: the innermost of those that have a limit. */
const roomOf = (file) =>
  Object.keys(NATIVE_ROOMS)
    .filter((room) => file.startsWith(`native/${room}/`))
    .sort((a, b) => b.length - a.length)[0]

/** Lines of each native room, with its limit; rooms that are not there are left out. */
function nativeRooms(native) {
  return Object.entries(NATIVE_ROOMS)
    .map(([room, limit]) => {
      const own = native.filter(({ file }) => roomOf(file) === room)
      return { room, lines: own.reduce((sum, { lines }) => sum + lines, 0), limit }
    })
    .filter(({ lines }) => lines > 0)
}

/** One row per group of files, and what breaks a limit. */
export function sizeReport() {
  const typescript = measure('src', (file) => file.endsWith('.ts'))
  const native = measure('native', (file) => /\.(cc|cu|cuh|h)$/.test(file))
  const groups = {
    'src (TypeScript)': typescript,
    'native (C++)': native,
    test: measure('test', (file) => /\.ts$/.test(file)),
    scripts: measure('scripts', (file) => /\.(mjs|ts|py)$/.test(file)),
  }
  const rows = Object.entries(groups).map(([name, files]) => {
    const lines = files.map((file) => file.lines)
    const total = lines.reduce((sum, n) => sum + n, 0)
    return {
      name,
      files: files.length,
      lines: total,
      median: quantile(lines, 0.5),
      p90: quantile(lines, 0.9),
      longest: files[0],
    }
  })
  const rooms = nativeRooms(native)
  const problems = [...problemsOf(rows[0], typescript, native), ...largeFunctions()]
  for (const { room, lines, limit } of rooms)
    if (lines > limit) problems.push(`native/${room} has ${lines} lines, more than ${limit}`)
  return { rows, rooms, figures: figuresOf(rows[0], native, rooms), problems }
}

function problemsOf(src, typescript, native) {
  const over = (files, limit) =>
    files
      .filter(({ lines }) => lines > limit)
      .map(({ file, lines }) => `${file} has ${lines} lines, more than ${limit}`)
  return [
    ...(typescript.length === 0 ? ['src holds no TypeScript file'] : []),
    ...(src.median > LIMITS.median
      ? [`the median file in src has ${src.median} lines, more than ${LIMITS.median}`]
      : []),
    ...(src.p90 > LIMITS.p90
      ? [`the 90th percentile in src is ${src.p90} lines, more than ${LIMITS.p90}`]
      : []),
    ...over(typescript, LIMITS.typescript),
    ...over(native, LIMITS.native),
  ]
}

if (process.argv[1]?.endsWith('size.mjs')) {
  const { rows, rooms, problems } = sizeReport()
  console.log(
    `${''.padEnd(18)}${['files', 'lines', 'median', 'p90'].map((head) => head.padStart(8)).join('')}   longest`,
  )
  for (const { name, files, lines, median, p90, longest } of rows) {
    const numbers = [files, lines, median, p90].map((n) => String(n).padStart(8)).join('')
    console.log(`${name.padEnd(18)}${numbers}   ${longest ? `${longest.lines} ${longest.file}` : ''}`)
  }
  for (const { room, lines, limit } of rooms)
    console.log(`${`native/${room}`.padEnd(26) + String(lines).padStart(8)}   of at most ${limit}`)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 8
}
