// The house in figures: today's value of everything the project keeps a limit for, and the limit. Exit 8 when one is broken.
import { join } from 'node:path'
import { checkLayers } from './layers.mjs'
import { LIMITS as REACH, reachReport } from './reach.mjs'
import { listFiles } from './setup/files.mjs'
import { root } from './setup/paths.mjs'
import { signaturesWith } from './signatures.mjs'
import { sizeReport } from './size.mjs'

const LIMITS = { signatures: 40, folder: 20, basename: 2 }

/** One file a loss. */
const OPEN_FOLDERS = ['src/losses']
/** Names that say their part in a folder. */
const COMMON_NAMES = ['index.ts', 'types.ts']

/** TypeScript files of src/ below a folder, as paths from it. */
const sourcesOf = (folder) =>
  listFiles(join(folder, 'src'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `src/${file}`)

/** How many files each value of `key` has, most first. */
function countBy(files, key) {
  const counts = new Map()
  for (const file of files) counts.set(key(file), (counts.get(key(file)) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])
}

/** Folders of src/ with their files, those directly inside. @param {string[]} files @returns {[string, number][]} fullest first */
export const folderSizes = (files) =>
  countBy(files, (file) => file.slice(0, file.lastIndexOf('/'))).filter(
    ([name]) => !OPEN_FOLDERS.includes(name),
  )

/** Names that files share. @param {string[]} files @returns {[string, number][]} the most shared first */
export const nameCounts = (files) =>
  countBy(files, (file) => file.slice(file.lastIndexOf('/') + 1)).filter(
    ([name]) => !COMMON_NAMES.includes(name),
  )

/** The figures of layout, with what breaks a limit. */
export function layoutReport(folder = root) {
  const files = sourcesOf(folder)
  const [[fullest, most]] = folderSizes(files)
  const [[shared, times]] = nameCounts(files)
  const signatures = files.flatMap((file) => signaturesWith(join(folder, file), 'Session'))
  const figures = [
    figure('signatures with the whole Session', signatures.length, LIMITS.signatures),
    figure('files of a folder', most, LIMITS.folder, fullest),
    figure('files of one name', times, LIMITS.basename, shared),
  ]
  const over = (counts, limit, text) =>
    counts.filter(([, n]) => n > limit).map(([name, n]) => `${name}: ${n} ${text}, more than ${limit}`)
  const problems = [
    ...over(folderSizes(files), LIMITS.folder, 'files in the folder'),
    ...over(nameCounts(files), LIMITS.basename, 'files have this name'),
    ...(signatures.length > LIMITS.signatures
      ? [`${signatures.length} signatures take the whole Session, more than ${LIMITS.signatures}`]
      : []),
  ]
  return { figures, problems }
}

const figure = (name, value, limit, where = '') => ({ name, value, limit, where })

/** Every figure of the house: sizes, what commands reach, layers, layout. */
export async function houseReport() {
  const layers = await checkLayers()
  const circles = layers.problems.filter((problem) => problem.startsWith('no-cycle')).length
  const parts = [sizeReport(), layoutReport(), reachReport()]
  const [size, layout, reach] = parts
  const charts = reach.rows.filter(({ name, chart }) => chart && REACH.noCharts.includes(name))
  const figures = [
    ...size.figures,
    ...layout.figures,
    ...reach.rows
      .filter(({ limit }) => limit !== undefined)
      .map(({ name, files, limit }) => figure(`files that ${name} loads`, files, limit)),
    figure('commands that load the chart library', charts.length, 0, `of ${REACH.noCharts.join(', ')}`),
    figure('depth of imports', reach.depth, REACH.depth, 'above the domain'),
    figure('circles of imports', circles, 0, 'types counted'),
    figure('imports against the order', layers.problems.length - circles, 0, `of ${layers.imports}`),
  ]
  return { figures, problems: [...parts.flatMap(({ problems }) => problems), ...layers.problems] }
}

/** @returns {string[]} the table, a line each */
export function tableOf(figures) {
  const width = Math.max(...figures.map(({ name }) => name.length)) + 2
  const columns = (value, limit) => [value, limit].map((n) => String(n).padStart(8)).join('')
  return [
    `${''.padEnd(width)}${columns('today', 'limit')}`,
    ...figures.map(({ name, value, limit, where }) =>
      `${name.padEnd(width)}${columns(value, limit)}   ${where}`.trimEnd(),
    ),
  ]
}

if (process.argv[1]?.endsWith('house.mjs')) {
  const { figures, problems } = await houseReport()
  for (const line of tableOf(figures)) console.log(line)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 8
}
