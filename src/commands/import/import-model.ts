/** `clha import`: reads a GGUF file and writes the folder. */
import { existsSync, readdirSync } from 'node:fs'
import { usageError } from '../../errors.js'
import { DTYPE_NAMES, type ImportedGguf } from '../../models/gguf/import-gguf.js'
import type { PlainType } from '../../models/gguf/weights-of-gguf.js'
import { importWithProgress } from '../../session/names/gguf-models.js'
import { shellPath } from '../../show/shell.js'
import { count } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'

export interface ImportSettings {
  file: string
  /** New, or empty. */
  folder: string
  /** As config.json names it. */
  dtype?: string
}

export interface ImportResult extends ImportedGguf {
  folder: string
}

/** @throws ClhaError (exit 2) for a file that can't be read, or is of a model that is not computed here */
export async function importModel({ file, folder, dtype }: ImportSettings, ui: Ui): Promise<ImportResult> {
  const wanted = dtype === undefined ? undefined : plainType(dtype)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw usageError(`${folder}: not empty`, 'give a new folder')
  const imported = await importWithProgress(file, folder, ui, wanted)
  const types = Object.entries(imported.types).map(([type, n]) => `${n} ${type}`)
  ui.line(
    `${file}  ${imported.architecture} · ${count(imported.parameters)} parameters · ${types.join(', ')}`,
  )
  ui.line(`model    ${folder} · ${imported.modelType}, ${imported.dtype}`)
  ui.line(`next     clha chat --model-name-or-path ${shellPath(folder)}`)
  return { folder, ...imported }
}

function plainType(dtype: string): PlainType {
  const found = (Object.keys(DTYPE_NAMES) as PlainType[]).find((type) => DTYPE_NAMES[type] === dtype)
  if (found) return found
  throw usageError(`--dtype ${dtype}: no such type`, `it is one of ${Object.values(DTYPE_NAMES).join(', ')}`)
}
