/** Lists of rows that were left out, beside the run. */

import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder } from '../../files/folder.js'
import type { Needs } from '../../session/needs.js'

/** Lists that a session has begun: its further data sets are appended. */
const begun = new WeakMap<object, Set<string>>()

/** Adds rows to a list in the output folder. @returns its path */
export function listLeftOut(
  { options, config }: Needs<'outputDir', 'config'>,
  name: string,
  rows: readonly object[],
): string {
  makeFolder(options.outputDir)
  const path = join(options.outputDir, name)
  const files = begun.get(config) ?? new Set<string>()
  begun.set(config, files)
  const write = files.has(path) ? appendFileSync : writeFileSync
  write(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  files.add(path)
  return path
}
