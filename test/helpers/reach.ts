/** Which source files a file loads, at once or later; imports of types alone load nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const STATEMENT = /(?:^|\n)(?:import|export)(\s+type)?\s([^'"]*?)from\s+'(\.[^']+)'/g
const LATER = /import\('(\.[^']+)'\)/g

export interface ReachOptions {
  /** Without what is imported only when it is needed. */
  atOnce?: boolean
}

/** The files that a file names in imports of values. */
export function importsOf(file: string, { atOnce = false }: ReachOptions = {}): string[] {
  const text = readFileSync(file, 'utf8')
  const now = [...text.matchAll(STATEMENT)].flatMap(([, type, what, path]) =>
    type !== undefined || typesAlone(what) ? [] : [path],
  )
  const later = atOnce ? [] : [...text.matchAll(LATER)].map(([, path]) => path)
  return [...now, ...later]
    .map((path) => resolve(dirname(file), path.replace(/\.js$/, '.ts')))
    .filter((path) => existsSync(path))
}

/** `{ type A, type B }` */
function typesAlone(what: string): boolean {
  const names = /\{([^}]*)\}/
    .exec(what)?.[1]
    .split(',')
    .map((name) => name.trim())
  const given = names?.filter((name) => name !== '') ?? []
  return given.length > 0 && given.every((name) => name.startsWith('type '))
}

/** The file and everything that it loads. */
export function reachableFrom(file: string, options: ReachOptions = {}): Set<string> {
  const reached = new Set<string>()
  const open = [file]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    open.push(...importsOf(next, options))
  }
  return reached
}
