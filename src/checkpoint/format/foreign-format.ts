/** Recognises model files that are not safetensors by their first bytes, and says how to convert them. */
import { basename } from 'node:path'
import { usageError } from '../../errors.js'
import { pythonCommand, pythonText } from '../../show/shell.js'

const starts = (bytes: Uint8Array, magic: string) =>
  Buffer.from(magic, 'latin1').equals(bytes.subarray(0, magic.length))

/** What the first bytes say the file is; undefined where they say nothing. */
export function foreignFormat(bytes: Uint8Array): string | undefined {
  if (starts(bytes, 'PK\x03\x04')) return 'a zip archive, as PyTorch (pickle) and NumPy (.npz) write'
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) return 'a Python pickle'
  if (starts(bytes, '\x93NUMPY')) return 'a NumPy array'
  if (starts(bytes, '\x89HDF')) return 'an HDF5 file'
  if (starts(bytes, 'GGUF')) return 'a GGUF file'
  if (starts(bytes, 'version https:/')) return 'a Git LFS pointer: the weights themselves were not downloaded'
  return undefined
}

/** Is this the name of a file that holds a pickle? */
export const isPickleName = (name: string) => /\.(bin|pt|pth|ckpt|pkl|pickle)$/i.test(name)

/** The way out for someone who has only a pickle. Loading it runs whatever code it holds: elsewhere, by choice. */
export function conversionHint(path: string): string {
  const source =
    'import torch; from safetensors.torch import save_file; ' +
    `w = torch.load(${pythonText(basename(path))}, map_location="cpu", weights_only=True); ` +
    'save_file({k: v.contiguous().clone() for k, v in w.items()}, "model.safetensors", {"format": "pt"})'
  return [
    'pickle files can run code when loaded, so clha never reads them; convert it once, if you trust its origin:',
    pythonCommand(source),
  ].join('\n')
}

/** @throws ClhaError (exit 2) where the first bytes belong to another format; returns otherwise */
export function refuseForeignFormat(path: string, firstBytes: Uint8Array): void {
  const format = foreignFormat(firstBytes)
  if (format === undefined) return
  const pickle = format.includes('pickle')
  const lfs = format.includes('LFS')
  const gguf = format.includes('GGUF')
  const other = gguf
    ? 'make a model folder of it: clha import FILE.gguf FOLDER'
    : 'save the weights as safetensors'
  const hint = pickle ? conversionHint(path) : lfs ? 'git lfs pull' : other
  throw usageError(`${path}: not safetensors but ${format}`, hint)
}
