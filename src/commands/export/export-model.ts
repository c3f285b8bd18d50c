/** `clha export`: writes the file, reads it back, and compares. */
import { mkdtempSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { numericsError, usageError } from '../../errors.js'
import { DiskStorage, removeTree } from '../../files/storage.js'
import { type Difference, largestDifference } from '../../models/adapters/adapter-merge.js'
import { loadModelFolder } from '../../models/adapters/adapter-load.js'
import { resolveModelFolder, tokenizerFolderOf } from '../../models/folders/model-folder.js'
import { type ExportedGguf, exportGguf } from '../../models/gguf/export-gguf.js'
import { FILE_TYPES, type FileType } from '../../models/gguf/file-types.js'
import { importGguf } from '../../models/gguf/import-gguf.js'
import { shellPath } from '../../show/shell.js'
import { bytes, figure } from '../../show/units.js'
import type { Progress } from '../../terminal/progress.js'
import type { Ui } from '../../terminal/ui.js'
import { loadTokenizer } from '../../text/tokenizer.js'

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
  check?: Difference
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
  const exported = await exportGguf(folder, { type, output, onWeight })
  bar?.done()
  for (const warning of exported.warnings) ui.warn(warning)
  ui.line(`file     ${exported.file} · ${exported.architecture}, ${type}, ${bytes(exported.bytes)}`)
  const found = check && !exported.isAdapter ? await compare(folder, exported.file, type, output) : undefined
  if (found)
    ui.line(
      `checked  read back: the same tokens; logits differ by ${figure(found.largest)} of ${figure(found.scale)} at most`,
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

/** Of the largest logit. A tensor in another order or under another name changes logits by as much as they are. */
const TOLERANCES: Readonly<Record<FileType, number>> = {
  f32: 1e-4,
  f16: 0.02,
  bf16: 0.1,
  q8_0: 0.1,
  q4_k_m: 0.6,
}

/** Reads the file back into a folder of its own, which then goes. @throws ClhaError (exit 5) where the two differ */
async function compare(folder: string, file: string, type: FileType, output: string): Promise<Difference> {
  const back = mkdtempSync(join(output, '.check-'))
  try {
    await importGguf(file, back)
    await requireSameTokens(folder, back, file)
    const found = difference(folder, back)
    if (!(found.largest <= TOLERANCES[type] * Math.max(1, found.scale)))
      throw numericsError(
        `${file}: its logits differ from those of ${folder} by ${figure(found.largest)}, with logits up to ${figure(found.scale)}`,
        'do not use the file; --type f32 tells whether the narrow type is the cause',
      )
    return found
  } finally {
    removeTree(new DiskStorage(), back)
  }
}

function difference(folder: string, back: string): Difference {
  const ours = loadModelFolder(folder, 'f32', { mapped: true })
  try {
    const read = loadModelFolder(back, 'f32', { mapped: true })
    try {
      return largestDifference(ours, read)
    } finally {
      read.dispose()
    }
  } finally {
    ours.dispose()
  }
}

/** Words, numbers, white space, signs, scripts, and what a dialogue is made of. */
const TEXTS = [
  'Hello, world!  How are you today?',
  "I'VE got 12345 apples; they're 3.14 each.\n\n\tIndented\r\nline",
  'def f(x):\n    return x ** 2  # square',
  'naïve café – “quoted” … 你好,世界 Привет мир こんにちは',
  '🙂👍🏽 emoji and   spaces   ',
  ' leading space',
]

async function requireSameTokens(folder: string, back: string, file: string): Promise<void> {
  const [ours, read] = await Promise.all([tokenizerFolderOf(folder), back].map(loadTokenizer))
  const specials = [...ours.specialTokens.keys()].slice(0, 50).join(' a ')
  for (const text of [...TEXTS, specials]) {
    const [one, other] = await Promise.all([ours.encode(text), read.encode(text)])
    if (one.ids.join() === other.ids.join()) continue
    throw numericsError(
      `${file}: its tokenizer cuts ${JSON.stringify(text.slice(0, 60))} into other tokens than ${folder}`,
      'do not use the file; please report the tokenizer',
    )
  }
}
