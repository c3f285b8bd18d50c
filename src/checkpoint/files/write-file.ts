/** Writes a file so that it is wholly on the disk, or an error says that it is not. */
import { createHash } from 'node:crypto'
import { basename, dirname, join } from 'node:path'
import type { Storage, WriteHandle } from './storage.js'
import { errorCode, SyncFailure, systemError } from './storage-error.js'

/** One system call takes at most this much; Linux stops at 2 GiB, and progress is visible earlier. */
const LARGEST_WRITE = 64 * 2 ** 20

export interface Written {
  bytes: number
  /** SHA-256 of the bytes handed over, hex. */
  sha256: string
}

/**
 * Creates `path` from `chunks`, fsyncs and closes it. Short writes are completed; every count is checked.
 *
 * @throws the system's error, or `SyncFailure` where fsync failed; the file may then be left incomplete.
 */
export function writeFile(storage: Storage, path: string, chunks: Iterable<Uint8Array>): Written {
  const hash = createHash('sha256')
  const handle = storage.create(path)
  let bytes = 0
  try {
    for (const chunk of chunks) {
      hash.update(chunk)
      writeAll(handle, chunk, path)
      bytes += chunk.byteLength
    }
    syncOrFail(() => handle.sync(), path)
  } catch (error) {
    try {
      handle.close()
    } catch {
      // The first error is the one to tell.
    }
    throw error
  }
  handle.close()
  return { bytes, sha256: hash.digest('hex') }
}

function writeAll(handle: WriteHandle, chunk: Uint8Array, path: string): void {
  let begin = 0
  let stalls = 0
  while (begin < chunk.byteLength) {
    const part = chunk.subarray(begin, Math.min(chunk.byteLength, begin + LARGEST_WRITE))
    const count = writeOnce(handle, part)
    begin += count
    stalls = count === 0 ? stalls + 1 : 0
    if (stalls > 100) throw systemError('EIO', 'write', path)
  }
}

/** EINTR means that nothing was written; 0 lets the caller try again. */
function writeOnce(handle: WriteHandle, part: Uint8Array): number {
  try {
    return handle.write(part)
  } catch (error) {
    if (errorCode(error) === 'EINTR') return 0
    throw error
  }
}

/** Runs an fsync; its failure is told apart from others because it must never be tried again. */
export function syncOrFail(sync: () => void, path: string): void {
  try {
    sync()
  } catch (error) {
    throw errorCode(error) === undefined ? error : new SyncFailure(path, error)
  }
}

/** Puts a file in place of another at once: a reader sees the old one or the new one, also after power loss. */
export function replaceFile(storage: Storage, path: string, chunks: Iterable<Uint8Array>): Written {
  const folder = dirname(path)
  const staging = join(folder, `.tmp-${process.pid}-${basename(path)}`)
  if (storage.stat(staging)) storage.remove(staging)
  const written = writeFile(storage, staging, chunks)
  storage.rename(staging, path)
  syncOrFail(() => storage.fsyncDir(folder), folder)
  return written
}
