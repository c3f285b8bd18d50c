/** The work of `clha config import`: reads the file, says what became of its keys, writes ours. */
import { existsSync, writeFileSync } from 'node:fs'
import { importConfig, TOOLS, type Tool, toolOf } from '../../config/import/import.js'
import { importedYaml } from '../../config/import/write.js'
import { readSource } from '../../config/source.js'
import { usageError } from '../../errors.js'
import { toJsonLine } from '../../show/json-lines.js'
import type { Io } from '../io.js'

export const TOOL_NAMES = TOOLS.join(', ')

export async function importFile(
  io: Io,
  file: string,
  { from, method, output, json }: Record<string, unknown>,
): Promise<void> {
  const source = await readSource(file)
  if (source.issues.length > 0) throw usageError(source.issues.map((i) => `${i.where}  ${i.text}`).join('\n'))
  const tool = from === undefined ? toolOf(source.values, file) : toolNamed(from)
  const imported = importConfig(source.values, tool, method === undefined ? undefined : String(method))
  const yaml = importedYaml(imported, file)
  if (typeof output === 'string') {
    if (existsSync(output))
      throw usageError(`${output}: is there already`, 'choose another file, or remove it')
    writeFileSync(output, yaml)
  }
  if (json) io.stdout.write(toJsonLine({ import: { ...imported, output } as never }))
  else if (output === undefined) io.stdout.write(yaml)
  if (!json && output !== undefined) {
    const { mapped, missing, dropped } = imported
    const counts = `${mapped.length} keys taken, ${missing.length} without equivalent, ${dropped.length} not needed`
    io.stdout.write(`${output}: ${counts}; each is listed in it\n`)
  }
}

function toolNamed(from: unknown): Tool {
  const found = TOOLS.find((tool) => tool === String(from).toLowerCase())
  if (found !== undefined) return found
  throw usageError(`--from ${from}: no such tool`, `it is one of ${TOOLS.join(', ')}`)
}
