/** The few file operations that saving and resuming rest on, small enough to be failed one at a time. */
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode } from './storage-error.js'

/** A file being written; `write` may take fewer bytes than offered, as the system call does. */
export interface WriteHandle {
  write(bytes: Uint8Array): number
  sync(): void
  close(): void
}

export type CreateMode = 'new' | 'replace'

export interface FileStat {
  /** `other`: a pipe, a device; never read. */
  kind: 'file' | 'directory' | 'other'
  bytes: number
}

/** Everything is synchronous: a save runs inside one step. Errors carry the system's `code` (ENOSPC, EIO, ...). */
export interface Storage {
  /** Makes one folder; its parent must exist (EEXIST, ENOENT). */
  mkdir(path: string): void
  /** Opens a file for writing. `new`, the default, refuses one that exists (EEXIST); `replace` empties it. */
  create(path: string, mode?: CreateMode): WriteHandle
  /** The file's bytes in order, in blocks; a block is valid until the next one is asked for. */
  read(path: string): Iterable<Uint8Array>
  /** Names in a folder, sorted. */
  list(path: string): string[]
  /** Follows links. */
  stat(path: string): FileStat | undefined
  rename(from: string, to: string): void
  /** Removes one file, one link (not what it points to) or one empty folder (else ENOTEMPTY). */
  remove(path: string): void
  fsyncDir(path: string): void
  /** Bytes that an ordinary user may still write where `path` lies. */
  freeBytes(path: string): number
}

const READ_BLOCK = 4 * 2 ** 20

/** The real disk. */
export class DiskStorage implements Storage {
  mkdir(path: string): void {
    fs.mkdirSync(path)
  }

  create(path: string, mode: CreateMode = 'new'): WriteHandle {
    const fd = fs.openSync(path, mode === 'new' ? 'wx' : 'w')
    return {
      write: (bytes) => fs.writeSync(fd, bytes),
      sync: () => fs.fsyncSync(fd),
      close: () => fs.closeSync(fd),
    }
  }

  *read(path: string): Iterable<Uint8Array> {
    const fd = fs.openSync(path, 'r')
    try {
      const block = Buffer.allocUnsafe(READ_BLOCK)
      for (;;) {
        const count = fs.readSync(fd, block)
        if (count === 0) return
        yield block.subarray(0, count)
      }
    } finally {
      fs.closeSync(fd)
    }
  }

  list(path: string): string[] {
    return fs.readdirSync(path).sort()
  }

  stat(path: string): FileStat | undefined {
    const found = fs.statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory()) return { kind: 'directory', bytes: 0 }
    return found && { kind: found.isFile() ? 'file' : 'other', bytes: found.size }
  }

  rename(from: string, to: string): void {
    fs.renameSync(from, to)
  }

  remove(path: string): void {
    if (fs.lstatSync(path).isDirectory()) fs.rmdirSync(path)
    else fs.unlinkSync(path)
  }

  fsyncDir(path: string): void {
    const fd = fs.openSync(path, 'r')
    try {
      fs.fsyncSync(fd)
    } finally {
      fs.closeSync(fd)
    }
  }

  freeBytes(path: string): number {
    const { bavail, bsize } = fs.statfsSync(path)
    return bavail * bsize
  }
}

/** Makes a folder and its missing parents; they survive a power loss. */
export function ensureDir(storage: Storage, path: string): void {
  if (storage.stat(path)?.kind === 'directory') return
  const parent = dirname(path)
  if (parent !== path) ensureDir(storage, parent)
  storage.mkdir(path)
  storage.fsyncDir(parent)
}

/** Removes a file, or a folder with all in it, following no link; nothing there is fine. */
export function removeTree(storage: Storage, path: string): void {
  try {
    storage.remove(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    for (const name of storage.list(path)) removeTree(storage, join(path, name))
    storage.remove(path)
  }
}

/** A small file as one piece of memory. */
export function readWhole(storage: Storage, path: string): Buffer {
  return Buffer.concat(Array.from(storage.read(path), (block) => Uint8Array.from(block)))
}
