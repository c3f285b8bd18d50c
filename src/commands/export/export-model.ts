/** `clha export`: writes the file, reads it back, and compares. */
import { basename, resolve } from 'node:path'
import { usageError } from '../../errors.js'
import type { Agreement } from '../../models/decoder/divergence.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { type ExportedGguf, exportGguf } from '../../models/gguf/export-gguf.js'
import { FILE_TYPES, type FileType } from '../../models/gguf/file-types.js'
import { shellPath } from '../../show/shell.js'
import { bytes, figure, percent } from '../../show/units.js'
import type { Progress } from '../../terminal/progress.js'
import type { Ui } from '../../terminal/ui.js'
import { checkExport } from './check-export.js'

export interface ExportSettings {
  model: string
  to?: string
  type?: string
  output?: string
  /** False with `--no-check`. */
  check?: boolean
}

export interface ExportResult extends ExportedGguf {
  /** What reading the file back has shown; absent where it was not asked for, and for an adapter. */
  check?: Agreement
}

/** @throws ClhaError (exit 2) as `exportGguf`; (exit 5) where what was read back is another model */
export async function exportModel(settings: ExportSettings, ui: Ui): Promise<ExportResult> {
  const { model, to, output = `${resolve(model)}-gguf`, check = true } = settings
  if (to !== 'gguf') throw usageError(`--to ${to}: no such format`, 'it is gguf')
  const type = fileType(settings.type ?? 'f16')
  const folder = resolveModelFolder(model)
  let bar: Progress | undefined
  const onWeight = (done: number, total: number) => {
    bar ??= ui.progress(total, 'writing', 'tensors')
    bar.update(done)
  }
  const allWritten = () => {
    bar?.done()
    bar = undefined
  }
  let found: Agreement | undefined
  const readBack = async (written: string, file: string) => {
    allWritten()
    found = await checkExport(folder, written, type, file)
  }
  const name = basename(resolve(model))
  const exported = await exportGguf(folder, {
    type,
    output,
    name,
    onWeight,
    ...(check && { check: readBack }),
  })
  allWritten()
  for (const warning of exported.warnings) ui.warn(warning)
  ui.line(`file     ${exported.file} · ${exported.architecture}, ${type}, ${bytes(exported.bytes)}`)
  if (found)
    ui.line(
      `checked  read back: the same tokens; over ${found.tokens} of them log-probabilities differ by ` +
        `${figure(found.difference)} on average, ${percent(found.same)} of the likeliest tokens are the same`,
    )
  const template = exported.hasTemplate ? '' : ' · without a template: Ollama makes one of the file’s own'
  ui.line(`ollama   ${exported.modelfile}${template}`)
  ui.line(`next     ollama create NAME -f ${shellPath(exported.modelfile)}`)
  return { ...exported, check: found }
}

function fileType(name: string): FileType {
  if (Object.hasOwn(FILE_TYPES, name)) return name as FileType
  throw usageError(`--type ${name}: no such type`, `it is one of ${Object.keys(FILE_TYPES).join(', ')}`)
}
