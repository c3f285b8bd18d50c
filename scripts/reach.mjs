// What each command loads when it starts: the files that its own file reaches over imports of values that are not
// dynamic, and whether the chart library is among them. And how deep imports go in the rooms of the application.
// Exit 8 when a limit is broken.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import ts from 'typescript'
import { listFiles } from './setup/files.mjs'
import { root } from './setup/paths.mjs'

/** The rooms between the command line and the domain. */
const APP = ['cli', 'commands', 'stations', 'methods', 'load', 'session']
const CHARTS = /^echarts(\/|$)/
export const LIMITS = {
  depth: 14,
  files: { chat: 130 },
  noCharts: ['chat', 'data-convert', 'generate', 'train'],
}

const isTypeOnly = (clause) =>
  clause !== undefined &&
  (clause.isTypeOnly === true ||
    (clause.name === undefined &&
      clause.namedBindings !== undefined &&
      ts.isNamedImports(clause.namedBindings) &&
      clause.namedBindings.elements.length > 0 &&
      clause.namedBindings.elements.every((element) => element.isTypeOnly)))

/** Names of the modules that a file imports or re-exports for their values, and of those it imports dynamically. */
export function importsOf(text, file = 'x.ts') {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, false)
  const values = source.statements
    .filter(
      (node) =>
        (ts.isImportDeclaration(node) && !isTypeOnly(node.importClause)) ||
        (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && !node.isTypeOnly),
    )
    .map((node) => node.moduleSpecifier.text)
  const dynamic = []
  const visit = (node) => {
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [name] = node.arguments
      if (name !== undefined && ts.isStringLiteral(name)) dynamic.push(name.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return { values, dynamic }
}

/** Every file of src/ with the files and the packages whose values it imports. Paths are relative to `folder`. */
export function readGraph(folder = root) {
  const graph = new Map()
  for (const name of listFiles(join(folder, 'src')).filter((name) => name.endsWith('.ts'))) {
    const file = `src/${name}`
    const { values, dynamic } = importsOf(readFileSync(join(folder, file), 'utf8'), file)
    const resolve = (names) =>
      names
        .filter((name) => name.startsWith('.'))
        .map((name) => normalize(join(dirname(file), name)).replace(/\.js$/, '.ts'))
        .filter((path) => existsSync(join(folder, path)) && path.endsWith('.ts'))
    const packages = values.filter((name) => !name.startsWith('.'))
    graph.set(file, { imports: resolve(values), dynamic: resolve(dynamic), packages })
  }
  return graph
}

/** @param options.later  also what is imported only when it is needed @returns files that `start` reaches, itself included */
export function reachOf(graph, start, { later = false } = {}) {
  const seen = new Set([start])
  for (const file of seen) {
    const { imports = [], dynamic = [] } = graph.get(file) ?? {}
    for (const next of later ? [...imports, ...dynamic] : imports) seen.add(next)
  }
  return seen
}

/** Imports on the longest chain within the given rooms, and that chain. */
export function deepest(graph, rooms = APP) {
  const inside = (file) => rooms.includes(file.split('/')[1])
  const known = new Map()
  const chainFrom = (file) => {
    const found = known.get(file)
    if (found !== undefined) return found
    known.set(file, [file]) // A circle ends here; layers.mjs reports it.
    let best = []
    for (const next of graph.get(file).imports.filter(inside)) {
      const chain = chainFrom(next)
      if (chain.length > best.length) best = chain
    }
    const chain = [file, ...best]
    known.set(file, chain)
    return chain
  }
  let longest = []
  for (const file of [...graph.keys()].filter(inside)) {
    const chain = chainFrom(file)
    if (chain.length > longest.length) longest = chain
  }
  return { depth: Math.max(0, longest.length - 1), chain: longest }
}

/** The files that commands run: what the files named `index.ts` below src/commands import dynamically. */
const runFiles = (graph) => [
  ...new Set(
    [...graph]
      .filter(([file]) => /^src\/commands\/(.*\/)?index\.ts$/.test(file))
      .flatMap(([, { dynamic }]) => dynamic)
      .filter((file) => file.startsWith('src/commands/')),
  ),
]

const nameOf = (file) => file.split('/').at(-1).replace(/\.ts$/, '')

/** @returns one row per command, the depth, and what breaks a limit */
export function reachReport(graph = readGraph()) {
  const rows = runFiles(graph)
    .map((file) => {
      const reached = reachOf(graph, file)
      const chart = [...reached].find((path) => graph.get(path)?.packages.some((name) => CHARTS.test(name)))
      return { name: nameOf(file), files: reached.size, limit: LIMITS.files[nameOf(file)], chart }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  const { depth, chain } = deepest(graph)
  const missing = [...Object.keys(LIMITS.files), ...LIMITS.noCharts].filter(
    (name) => !rows.some((row) => row.name === name),
  )
  const problems = [
    ...missing.map((name) => `no command file ${name}.ts below src/commands: the check itself does not work`),
    ...rows
      .filter(({ files, limit }) => limit !== undefined && files > limit)
      .map(({ name, files, limit }) => `${name} loads ${files} files, more than ${limit}`),
    ...rows
      .filter(({ name, chart }) => chart !== undefined && LIMITS.noCharts.includes(name))
      .map(({ name, chart }) => `${name} loads the chart library, by ${chart}`),
    ...(depth > LIMITS.depth
      ? [`imports are ${depth} deep in ${APP.join(', ')}, more than ${LIMITS.depth}: ${chain.join(' -> ')}`]
      : []),
  ]
  return { rows, depth, chain, problems }
}

if (process.argv[1]?.endsWith('reach.mjs')) {
  const { rows, depth, problems } = reachReport()
  console.log(`${'command'.padEnd(18)}${'files'.padStart(8)}${'limit'.padStart(8)}   chart library`)
  for (const { name, files, limit, chart } of rows) {
    const allowed = LIMITS.noCharts.includes(name) ? 'not allowed' : ''
    const numbers = [files, limit ?? ''].map((n) => String(n).padStart(8)).join('')
    console.log(
      `${name.padEnd(18)}${numbers}   ${[chart ? 'yes' : 'no', allowed].filter(Boolean).join(', ')}`,
    )
  }
  console.log(`${'depth'.padEnd(18)}${[depth, LIMITS.depth].map((n) => String(n).padStart(8)).join('')}`)
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 8
}
