/** Files that a command writes, held against those that it reads. */
import { realpathSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { usageError } from '../errors.js'

/**
 * Whatever name or link leads there, no file that is read is written over, and none is written twice.
 * @throws ClhaError (exit 2) with the file
 */
export function requireFreeTargets(targets: readonly string[], read: readonly string[]): void {
  const inputs = new Set(read.map(realPath))
  const outputs = new Set<string>()
  for (const file of targets) {
    const path = realPath(file)
    if (inputs.has(path))
      throw usageError(`${file}: is read and would be written over`, 'Choose another name for the output.')
    if (outputs.has(path))
      throw usageError(`${file}: would be written twice`, 'Give each output a name of its own.')
    outputs.add(path)
  }
}

/** Where a path leads, links followed; of a file that is not there yet, where it would stand. */
function realPath(path: string): string {
  const whole = resolve(path)
  try {
    return realpathSync(whole)
  } catch {
    const parent = dirname(whole)
    return parent === whole ? whole : join(realPath(parent), basename(whole))
  }
}
