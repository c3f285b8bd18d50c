/** A file of a checkpoint, before it is written. */

import type { Storage } from '../../files/storage.js'
import { layoutSafetensors, type TensorToWrite } from './safetensors-write.js'

export interface SaveFile {
  /** A plain name within the checkpoint. */
  path: string
  /** Known before anything is written, for the check of free space. */
  bytes: number
  /** The content in order; called again for another try. */
  chunks: () => Iterable<Uint8Array>
}

export function textFile(path: string, text: string): SaveFile {
  const bytes = Buffer.from(text, 'utf8')
  return { path, bytes: bytes.byteLength, chunks: () => [bytes] }
}

export const jsonFile = (path: string, value: unknown) =>
  textFile(path, `${JSON.stringify(value, null, 2)}\n`)

/** The tensors' bytes are read when the file is written; they must not change until the save returns. */
export function safetensorsFile(
  path: string,
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): SaveFile {
  return { path, ...layoutSafetensors(tensors, metadata) }
}

/** A file taken over as it is, such as `tokenizer.json` of the model that training began with. */
export function copiedFile(storage: Storage, source: string, path: string): SaveFile {
  const bytes = storage.stat(source)?.bytes
  if (bytes === undefined) throw new Error(`${source}: no such file`)
  return { path, bytes, chunks: () => storage.read(source) }
}
