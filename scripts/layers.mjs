// Checks that imports in src/ go downward only (.dependency-cruiser.cjs). Exit 8 when they don't.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson } from './setup/files.mjs'
import { root } from './setup/paths.mjs'
import { run } from './setup/run.mjs'

const rooms = readJson(join(root, 'scripts/rooms.json'))

/** Checks src/ below a folder. @returns {Promise<{modules: number, imports: number, problems: string[]}>} */
export async function checkLayers(folder = root) {
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
  const args = [cruiser, '--config', join(root, '.dependency-cruiser.cjs'), '--output-type', 'json', 'src']
  const { output } = await run(process.execPath, args, { cwd: folder })
  const result = parse(output)
  const modules = result.modules.filter(({ source }) => source.startsWith('src/'))
  const imports = modules
    .flatMap((module) => module.dependencies)
    .filter(({ resolved }) => resolved.startsWith('src/'))
  const unknown = readdirSync(join(folder, 'src'), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !rooms.includes(entry.name),
  )
  return {
    modules: modules.length,
    imports: imports.length,
    problems: [
      ...unknown.map(({ name }) => `src/${name}/ has no place in the order of rooms (scripts/rooms.json)`),
      ...result.summary.violations.map(
        ({ rule, from, to, cycle }) =>
          `${rule.name}: ${from} -> ${cycle ? cycle.map((part) => part.name).join(' -> ') : to}`,
      ),
      // The tool reads nothing, without complaint, when it can't use the TypeScript it finds.
      ...(modules.length === 0 || imports.length === 0
        ? ['no modules or imports were read: the check itself does not work']
        : []),
    ],
  }
}

function parse(output) {
  try {
    return JSON.parse(output.slice(output.indexOf('{')))
  } catch {
    throw new Error(`dependency-cruiser failed:\n${output.slice(0, 2000)}`)
  }
}

if (process.argv[1]?.endsWith('layers.mjs')) {
  const { modules, imports, problems } = await checkLayers()
  for (const problem of problems) console.error(problem)
  console.log(`layers: ${modules} modules, ${imports} imports between them, ${problems.length} problems`)
  if (problems.length > 0) process.exitCode = 8
}
