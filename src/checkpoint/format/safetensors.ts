/** Opens a safetensors file: the header is checked whole, the tensors are read on demand. */
import * as fs from 'node:fs'
import { ClhaError, usageError } from '../../errors.js'
import { errorCode } from '../../files/storage-error.js'
import { refuseForeignFormat } from './foreign-format.js'
import { HeaderFault, parseHeader, type SafetensorsHeader } from './safetensors-header.js'
import type { TensorSource } from './tensor-source.js'

export interface SafetensorsFile extends TensorSource {
  readonly path: string
}

/** One system call reads at most this much; Node refuses 2 GiB and more. */
const LARGEST_READ = 2 ** 30
const COPY_HINT = 'the file is damaged or was not fully copied: copy or download it again'

/**
 * @throws ClhaError (exit 2) naming the file, and the tensor where one is at fault: no such file, damaged, not
 *   safetensors, or a pickle
 */
export function openSafetensors(path: string): SafetensorsFile {
  const fd = openFile(path)
  let header: SafetensorsHeader
  try {
    header = readHeader(fd, path)
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
  let open = true
  const entryOf = (name: string) => {
    if (!open) throw new Error(`${path} is closed`)
    const entry = header.entries.get(name)
    if (entry === undefined) throw usageError(`${path}: no tensor "${name}"`)
    return entry
  }
  return {
    path,
    entries: header.entries,
    metadata: header.metadata,
    readInto: (name, target, offset) => {
      const { begin, end } = entryOf(name)
      const [bytes, wanted] = [end - begin, target.byteLength]
      if (offset === undefined ? wanted !== bytes : offset + wanted > bytes)
        throw new Error(`${path}: "${name}" has ${bytes} bytes, target ${wanted}`)
      readFully(fd, begin + (offset ?? 0), target, `${path}: tensor "${name}"`)
    },
    place: (name) => ({ fd, offset: entryOf(name).begin }),
    close: () => {
      if (open) fs.closeSync(fd)
      open = false
    },
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

function readHeader(fd: number, path: string): SafetensorsHeader {
  const stat = fs.fstatSync(fd)
  if (!stat.isFile()) throw usageError(`${path}: not a file`)
  const read = (offset: number, length: number) => {
    const bytes = Buffer.allocUnsafe(length)
    readFully(fd, offset, bytes, path)
    return bytes
  }
  try {
    return parseHeader(stat.size, read)
  } catch (error) {
    if (!(error instanceof HeaderFault)) throw error
    refuseForeignFormat(path, read(0, Math.min(stat.size, 16)))
    const hint = error.damaged
      ? COPY_HINT
      : 'the file is not valid safetensors: write it again with the program that made it'
    throw usageError(`${path}: ${error.message}`, hint)
  }
}

function readFully(fd: number, offset: number, target: Uint8Array, what: string): void {
  let done = 0
  while (done < target.byteLength) {
    const rest = target.subarray(done, done + LARGEST_READ)
    const count = readAt(fd, offset + done, rest, what)
    if (count === 0) {
      throw usageError(`${what} ends early: expected ${target.byteLength} bytes, found ${done}`, COPY_HINT)
    }
    done += count
  }
}

function readAt(fd: number, position: number, target: Uint8Array, what: string): number {
  try {
    return fs.readSync(fd, target, 0, target.byteLength, position)
  } catch (error) {
    if (error instanceof ClhaError) throw error
    throw usageError(`${what} can't be read (${errorCode(error) ?? String(error)})`)
  }
}
