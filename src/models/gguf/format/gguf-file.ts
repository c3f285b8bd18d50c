/** An open GGUF file: its head is checked whole, its tensors are read on demand. */
import * as fs from 'node:fs'
import { usageError } from '../../../errors.js'
import { errorCode } from '../../../files/storage-error.js'
import { GgufFault, type GgufHead, type GgufTensor, readGgufHead } from './gguf-head.js'

export interface GgufFile extends GgufHead {
  path: string
  /** Bytes of a tensor as stored. @throws ClhaError (exit 2) where the file lost them */
  read(tensor: GgufTensor): Uint8Array
  close(): void
}

/** @throws ClhaError (exit 2) naming the file, and the entry or tensor where one is at fault */
export function openGguf(path: string): GgufFile {
  const fd = openFile(path)
  try {
    const found = fs.fstatSync(fd)
    if (!found.isFile()) throw usageError(`${path}: not a file`)
    const read = (offset: number, target: Uint8Array) => readFully(fd, offset, target, path)
    return {
      ...headOf(found.size, read, path),
      path,
      read({ begin, end }) {
        const bytes = new Uint8Array(end - begin)
        read(begin, bytes)
        return bytes
      },
      close: () => fs.closeSync(fd),
    }
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

function openFile(path: string): number {
  try {
    // Not blocking: a pipe in place of a file must not hang the program.
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
  } catch (error) {
    throw usageError(`${path}: cannot be opened (${errorCode(error) ?? String(error)})`)
  }
}

function headOf(size: number, read: (offset: number, target: Uint8Array) => void, path: string): GgufHead {
  try {
    return readGgufHead(size, read)
  } catch (error) {
    if (!(error instanceof GgufFault)) throw error
    throw usageError(
      `${path}: ${error.message}`,
      'copy or download the file again, or convert the model anew',
    )
  }
}

/** One system call reads at most this much; Node refuses 2 GiB and more. */
const LARGEST_READ = 2 ** 30

function readFully(fd: number, offset: number, target: Uint8Array, path: string): void {
  for (let done = 0; done < target.byteLength; ) {
    const rest = target.subarray(done, done + LARGEST_READ)
    const count = fs.readSync(fd, rest, 0, rest.byteLength, offset + done)
    if (count === 0)
      throw usageError(`${path}: ends early, at ${offset + done}`, 'it was changed while it was read')
    done += count
  }
}
