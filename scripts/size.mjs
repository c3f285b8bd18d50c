// How large the source files are, against the limits the project keeps. Exit 8 when one is broken. Generated files are exempt.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles } from './setup/files.mjs'
import { root } from './setup/paths.mjs'

const LIMITS = { median: 90, p90: 220, typescript: 400, native: 500 }

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

/** One row per group of files, and what breaks a limit. */
export function sizeReport() {
  const typescript = measure('src', (file) => file.endsWith('.ts'))
  const native = measure('native', (file) => /\.(cc|h|hpp|inc)$/.test(file))
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
  return { rows, problems: problemsOf(rows[0], typescript, native) }
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
  const { rows, problems } = sizeReport()
  console.log(
    `${''.padEnd(18)}${['files', 'lines', 'median', 'p90'].map((head) => head.padStart(8)).join('')}   longest`,
  )
  for (const { name, files, lines, median, p90, longest } of rows) {
    const numbers = [files, lines, median, p90].map((n) => String(n).padStart(8)).join('')
    console.log(`${name.padEnd(18)}${numbers}   ${longest ? `${longest.lines} ${longest.file}` : ''}`)
  }
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 8
}
