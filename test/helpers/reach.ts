/** Which source files a file loads, at once or later; imports of types alone load nothing. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const IMPORTS = /(?:^|\n)(?:import|export)(\s+type)?\s[^'"]*?from\s+'(\.[^']+)'|import\('(\.[^']+)'\)/g

/** The files that a file names in imports of values. */
export function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORTS)]
    .filter(([, type]) => type === undefined)
    .map(([, , now, later]) => resolve(dirname(file), (now ?? later).replace(/\.js$/, '.ts')))
    .filter((path) => existsSync(path))
}

/** The file and everything that it loads, now or later. */
export function reachableFrom(file: string): Set<string> {
  const reached = new Set<string>()
  const open = [file]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    open.push(...importsOf(next))
  }
  return reached
}
