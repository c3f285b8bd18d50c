/** Lists of rows that were left out, beside the run. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Needs } from '../../session/needs.js'

/** Lists that a session has begun: its further data sets are appended. */
const begun = new WeakMap<object, Set<string>>()

/** Adds rows to a list in the output folder. @returns its path */
export function listLeftOut(
  { options, config }: Needs<'outputDir', 'config'>,
  name: string,
  rows: readonly object[],
): string {
  mkdirSync(options.outputDir, { recursive: true })
  const path = join(options.outputDir, name)
  const files = begun.get(config) ?? new Set<string>()
  begun.set(config, files)
  const write = files.has(path) ? appendFileSync : writeFileSync
  write(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  files.add(path)
  return path
}
