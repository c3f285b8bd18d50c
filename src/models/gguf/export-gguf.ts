/** A model folder as a GGUF file, with an Ollama Modelfile beside it. */
import { basename, join, resolve } from 'node:path'
import { usageError } from '../../errors.js'
import { makeFolder } from '../../files/folder.js'
import { partialOf, streamWhole, writeWhole } from '../../files/whole.js'
import { chatTemplate } from '../../text/template.js'
import { loadTokenizerOnBase, type TextTokenizer } from '../../text/tokenizer.js'
import { ADAPTER_WEIGHTS, readAdapterConfig } from '../adapters/adapter-config.js'
import { baseFolderOf, headOfFolder, isAdapterFolder } from '../adapters/adapter-load.js'
import { decoderConfig } from '../families/families.js'
import { openCheckedFiles } from '../folders/checked-files.js'
import { readHfConfig } from '../folders/load-model.js'
import { tokenizerFolderOf } from '../folders/model-folder.js'
import { adapterForGguf } from './adapter-for-gguf.js'
import { FILE_TYPES, type FileType } from './file-types.js'
import { ggufChunks } from './format/gguf-write.js'
import { modelfile } from './modelfile.js'
import { type Entry, settingsForGguf, text, uint } from './settings-for-gguf.js'
import { vocabularyForGguf } from './tokenizer/vocabulary-of.js'
import { weightsForGguf } from './weights-for-gguf.js'

export interface ExportOptions {
  type: FileType
  /** Folder for the file and the Modelfile; made where it is not there. */
  output: string
  /** Of the model, in the file and before its type in the file's name; left out: that of the folder. */
  name?: string
  /** Called when a weight is made. */
  onWeight?: (done: number, total: number) => void
  /** Called with the file before it has its name, `file`; where it throws, nothing is written. Not called for an adapter. */
  check?: (written: string, file: string) => Promise<void>
}

export interface ExportedGguf {
  file: string
  modelfile: string
  architecture: string
  tensors: number
  bytes: number
  /** The adapter alone was written: it needs its base. */
  isAdapter: boolean
  /** Whether the Modelfile has a template; without one Ollama makes one of the file's own. */
  hasTemplate: boolean
  /** Where llama.cpp computes something else. */
  warnings: string[]
}

/**
 * One tensor is in memory at once. The file appears whole or not at all.
 * @throws ClhaError (exit 2) for a reward model, a family, a setting, a tokenizer or an adapter that llama.cpp does not have;
 *   (exit 5) for weights that are not finite
 */
export async function exportGguf(folder: string, options: ExportOptions): Promise<ExportedGguf> {
  if (headOfFolder(folder) !== 'lm')
    throw usageError(`${folder}: a reward model is not exported`, 'llama.cpp has no such head for it')
  const isAdapter = isAdapterFolder(folder)
  const base = baseFolderOf(folder)
  const given = options.name ?? lastOf(folder)
  // The base's own file lies beside an adapter's.
  const name = isAdapter && given === lastOf(base) ? `${given}-adapter` : given
  const hf = readHfConfig(base)
  const config = decoderConfig(hf, join(base, 'config.json'))
  const settings = settingsForGguf(config, hf, join(base, 'config.json'))
  const tokenizer = await loadTokenizerOnBase(tokenizerFolderOf(folder), base)
  const files = openCheckedFiles(isAdapter ? folder : base, isAdapter ? ADAPTER_WEIGHTS : undefined)
  try {
    const general = (type: string): Entry[] => [
      text('general.architecture', settings.architecture),
      text('general.type', type),
      text('general.name', name),
    ]
    const { type, onWeight } = options
    const made = isAdapter
      ? adapterForGguf(files, readAdapterConfig(folder), config, type, folder)
      : { entries: settings.entries, tensors: weightsForGguf(files, config, type, base, onWeight) }
    const vocabulary = isAdapter ? [] : (await vocabularyForGguf(tokenizer, config.vocabSize)).entries
    const entries = [
      ...general(isAdapter ? 'adapter' : 'model'),
      ...made.entries,
      uint('general.file_type', FILE_TYPES[type]),
      uint('general.quantization_version', 2),
      ...vocabulary,
    ]
    const { architecture, warnings } = settings
    const chunks = ggufChunks(entries, made.tensors)
    const written = await write(name, options, chunks, isAdapter ? undefined : options.check)
    const beside = await writeModelfile(
      options.output,
      written.file,
      tokenizer,
      isAdapter ? fileOf(lastOf(base), type) : undefined,
    )
    return { ...written, ...beside, architecture, tensors: made.tensors.length, isAdapter, warnings }
  } finally {
    files.close()
  }
}

const lastOf = (folder: string): string => basename(resolve(folder))

const fileOf = (name: string, type: FileType): string => `${name}-${type}.gguf`

async function write(
  name: string,
  { output, type }: ExportOptions,
  chunks: Iterable<Uint8Array>,
  check: ExportOptions['check'],
): Promise<{ file: string; bytes: number }> {
  makeFolder(output)
  const file = join(output, fileOf(name, type))
  let bytes = 0
  await streamWhole(file, async (write) => {
    for (const chunk of chunks) {
      write(chunk)
      bytes += chunk.byteLength
    }
    await check?.(partialOf(file), file)
  })
  return { file, bytes }
}

/** @param base name of the base's file, for an adapter */
async function writeModelfile(
  output: string,
  file: string,
  tokenizer: TextTokenizer,
  base?: string,
): Promise<{ modelfile: string; hasTemplate: boolean }> {
  const template = await chatTemplate(tokenizer)
  const { stopIds, bosId, addsBos, tokenText } = tokenizer
  const ends = [template.endToken, ...stopIds.map((id) => tokenText(id)), ...template.stops]
  const stops = [...new Set(ends.filter((end) => end !== undefined))]
  const bos = addsBos && bosId !== undefined ? tokenText(bosId) : undefined
  const { text, hasTemplate } = modelfile({ file: basename(file), base, template, stops, bos })
  return { modelfile: writeWhole(join(output, 'Modelfile'), text), hasTemplate }
}
