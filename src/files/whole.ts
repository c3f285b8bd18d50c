/** Whole files: written beside their place, on the disk before they get their name, and then there at once. */
import { createHash } from 'node:crypto'
import { basename, dirname, join, resolve } from 'node:path'
import { DiskStorage, ensureDir, removeTree, type Storage, type WriteHandle } from './storage.js'
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
  const staging = join(dirname(path), `.tmp-${process.pid}-${basename(path)}`)
  if (storage.stat(staging)) storage.remove(staging)
  try {
    const written = writeFile(storage, staging, chunks)
    moveIntoPlace(storage, staging, path)
    return written
  } catch (error) {
    removeQuietly(storage, staging)
    throw error
  }
}

/** `replaceFile` for content that is all there, on the real disk. @returns `path` */
export function writeWhole(path: string, content: string | Uint8Array): string {
  replaceFile(new DiskStorage(), path, [bytesOf(content)])
  return path
}

/** Gives what is on the disk already its name, for good: the rename is on the disk too when this returns. */
export function moveIntoPlace(storage: Storage, staging: string, path: string): void {
  storage.rename(staging, path)
  const folder = dirname(path)
  syncOrFail(() => storage.fsyncDir(folder), folder)
}

/**
 * A folder with its files, under a hidden name until all of it is on the disk. What was there before is removed first.
 * @param files plain names within the folder, and their content in order
 */
export function writeFolder(
  storage: Storage,
  target: string,
  files: readonly { path: string; chunks: () => Iterable<Uint8Array> }[],
): void {
  const parent = dirname(resolve(target))
  const staging = join(parent, `.tmp-${process.pid}-${basename(resolve(target))}`)
  ensureDir(storage, parent)
  removeTree(storage, staging)
  try {
    storage.mkdir(staging)
    for (const file of files) writeFile(storage, join(staging, file.path), file.chunks())
    syncOrFail(() => storage.fsyncDir(staging), staging)
    removeTree(storage, target)
    moveIntoPlace(storage, staging, resolve(target))
  } catch (error) {
    removeTree(storage, staging)
    throw error
  }
}

/** A whole file whose content comes piece by piece. */
export interface WholeFile {
  /** What was written is in `<path>.partial` when this returns; text is written as UTF-8. */
  write(content: string | Uint8Array): void
  /** fsync, then the file gets its name. */
  finish(): void
  /** After an error. `keep` leaves what was written in `<path>.partial`, else nothing stays. */
  abandon(keep?: boolean): void
}

/** Where a file lies until it is whole. */
export const partialOf = (path: string): string => `${path}.partial`

/** Begins `<path>.partial`, in place of one that an earlier process left; the folder must exist. */
export function openWhole(path: string, storage: Storage = new DiskStorage()): WholeFile {
  const staging = partialOf(path)
  const handle = storage.create(staging, 'replace')
  let open = true
  const close = () => {
    if (open) handle.close()
    open = false
  }
  return {
    write: (content) => writeAll(handle, bytesOf(content), staging),
    finish() {
      syncOrFail(() => handle.sync(), staging)
      close()
      moveIntoPlace(storage, staging, path)
    },
    abandon(keep = false) {
      close()
      if (!keep) removeQuietly(storage, staging)
    },
  }
}

/** `openWhole` for content that comes from `fill`; nothing is left behind where that fails. */
export async function streamWhole(
  path: string,
  fill: (write: (content: string | Uint8Array) => void) => Promise<void>,
  storage?: Storage,
): Promise<void> {
  const file = openWhole(path, storage)
  try {
    await fill(file.write)
    file.finish()
  } catch (error) {
    file.abandon()
    throw error
  }
}

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content

/** The error that led here is the one to tell. */
function removeQuietly(storage: Storage, path: string): void {
  try {
    storage.remove(path)
  } catch {}
}
