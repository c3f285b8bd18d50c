/** A safetensors file of given tensors. */
import { layoutSafetensors, type TensorToWrite } from '../../src/checkpoint/format/safetensors-write.js'
import type { Storage } from '../../src/files/storage.js'
import { replaceFile, type Written } from '../../src/files/whole.js'

export function writeSafetensors(
  storage: Storage,
  path: string,
  tensors: readonly TensorToWrite[],
  metadata?: Readonly<Record<string, string>>,
): Written {
  return replaceFile(storage, path, layoutSafetensors(tensors, metadata).chunks())
}
