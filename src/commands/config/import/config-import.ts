/** Reads another tool's config and writes ours, with a word on every key. */
import { existsSync, writeFileSync } from 'node:fs'
import { importConfig, TOOLS, type Tool, toolOf } from '../../../config/import/import.js'
import { importedYaml } from '../../../config/import/write.js'
import { readSource } from '../../../config/source.js'
import { usageError } from '../../../errors.js'
import { toJsonLine } from '../../../show/json-lines.js'
import { amount } from '../../../show/units.js'
import type { TerminalOut } from '../../command.js'

export interface ImportSettings {
  file: string
  /** The tool; recognised by the keys when left out. */
  from?: string
  method?: string
  /** New YAML file; standard output when left out. */
  output?: string
}

/** @throws ClhaError (exit 2) for a file that is no YAML, or of no known tool, and for an output that is there */
export async function configImport(
  { file, from, method, output }: ImportSettings,
  { json, print }: TerminalOut,
): Promise<void> {
  const source = await readSource(file)
  if (source.issues.length > 0) throw usageError(source.issues.map((i) => `${i.where}  ${i.text}`).join('\n'))
  const tool = from === undefined ? toolOf(source.values, file) : toolNamed(from)
  const imported = importConfig(source.values, tool, method)
  const yaml = importedYaml(imported, file)
  if (output !== undefined) {
    if (existsSync(output))
      throw usageError(`${output}: is there already`, 'choose another file, or remove it')
    writeFileSync(output, yaml)
  }
  if (json) print(toJsonLine({ import: { ...imported, output } as never }))
  else if (output === undefined) print(yaml)
  else {
    const { mapped, missing, dropped } = imported
    const counts = `${amount(mapped.length, 'key')} taken, ${missing.length} without equivalent, ${dropped.length} not needed`
    print(`${output}: ${counts}; each is listed in it\n`)
  }
}

function toolNamed(from: string): Tool {
  const found = TOOLS.find((tool) => tool === from.toLowerCase())
  if (found !== undefined) return found
  throw usageError(`--from ${from}: no such tool`, `it is one of ${TOOLS.join(', ')}`)
}
