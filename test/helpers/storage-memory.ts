/** A disk in memory that keeps apart what survives a power loss and what does not. For tests. */
import { basename, dirname } from 'node:path'
import type { CreateMode, FileStat, Storage, WriteHandle } from '../../src/files/storage.js'
import { systemError } from '../../src/files/storage-error.js'
import { createRandom, type Random } from '../../src/random.js'

interface FileNode {
  kind: 'file'
  data: Buffer
  /** What the last fsync put on the disk. */
  synced: Buffer
}

interface FolderNode {
  kind: 'directory'
  entries: Map<string, Node>
  /** The entries at the last fsync of the folder. */
  synced: Map<string, Node>
}

type Node = FileNode | FolderNode

const newFolder = (): FolderNode => ({ kind: 'directory', entries: new Map(), synced: new Map() })

/**
 * What a power loss takes: file bytes never fsynced; folder entries never fsynced; a random tail of the
 * bytes never fsynced; or bytes and entries together.
 */
export type PowerLoss = 'data' | 'entries' | 'prefix' | 'both'

export class MemoryStorage implements Storage {
  private root = newFolder()

  /** @param capacity bytes that fit; a write past it takes what fits, then ENOSPC. */
  constructor(readonly capacity = Number.POSITIVE_INFINITY) {}

  mkdir(path: string): void {
    this.addEntry('mkdir', path, newFolder())
  }

  create(path: string, mode: CreateMode = 'new'): WriteHandle {
    const found = mode === 'replace' ? this.find(path) : undefined
    const node: FileNode =
      found?.kind === 'file' ? found : { kind: 'file', data: Buffer.alloc(0), synced: Buffer.alloc(0) }
    node.data = Buffer.alloc(0)
    if (node !== found) this.addEntry('open', path, node)
    return {
      write: (bytes) => {
        const count = Math.min(bytes.byteLength, this.freeBytes())
        if (count === 0 && bytes.byteLength > 0) throw systemError('ENOSPC', 'write', path)
        node.data = Buffer.concat([node.data, bytes.subarray(0, count)])
        return count
      },
      sync: () => {
        node.synced = node.data
      },
      close: () => {},
    }
  }

  *read(path: string): Iterable<Uint8Array> {
    yield this.file(path).data
  }

  list(path: string): string[] {
    return [...this.folder('scandir', path).entries.keys()].sort()
  }

  stat(path: string): FileStat | undefined {
    const node = this.find(path)
    return node && { kind: node.kind, bytes: node.kind === 'file' ? node.data.length : 0 }
  }

  rename(from: string, to: string): void {
    const node = this.find(from)
    if (!node) throw systemError('ENOENT', 'rename', from)
    const target = this.find(to)
    if (target?.kind === 'directory' && target.entries.size > 0) throw systemError('ENOTEMPTY', 'rename', to)
    this.folder('rename', dirname(from)).entries.delete(basename(from))
    this.folder('rename', dirname(to)).entries.set(basename(to), node)
  }

  remove(path: string): void {
    const node = this.find(path)
    if (!node) throw systemError('ENOENT', 'unlink', path)
    if (node.kind === 'directory' && node.entries.size > 0) throw systemError('ENOTEMPTY', 'rmdir', path)
    this.folder('unlink', dirname(path)).entries.delete(basename(path))
  }

  fsyncDir(path: string): void {
    const folder = this.folder('fsync', path)
    folder.synced = new Map(folder.entries)
  }

  freeBytes(): number {
    return Math.max(0, this.capacity - size(this.root))
  }

  /** Replaces a file's bytes, on the disk too: damage that no program made. */
  damage(path: string, bytes: Uint8Array): void {
    const node = this.file(path)
    node.data = Buffer.from(bytes)
    node.synced = node.data
  }

  /** The disk as it is found after the power came back. */
  afterPowerLoss(loss: PowerLoss, seed: number): MemoryStorage {
    const storage = new MemoryStorage(this.capacity)
    storage.root = survive(this.root, loss, createRandom(seed)) as FolderNode
    return storage
  }

  private find(path: string): Node | undefined {
    let node: Node | undefined = this.root
    for (const name of path.split('/').filter(Boolean)) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined
    }
    return node
  }

  private file(path: string): FileNode {
    const node = this.find(path)
    if (node?.kind !== 'file') throw systemError('ENOENT', 'open', path)
    return node
  }

  private folder(operation: string, path: string): FolderNode {
    const node = this.find(path)
    if (node?.kind !== 'directory') throw systemError('ENOENT', operation, path)
    return node
  }

  private addEntry(operation: string, path: string, node: Node): void {
    const { entries } = this.folder(operation, dirname(path))
    if (entries.has(basename(path))) throw systemError('EEXIST', operation, path)
    entries.set(basename(path), node)
  }
}

function size(node: Node): number {
  if (node.kind === 'file') return node.data.length
  let total = 0
  for (const child of node.entries.values()) total += size(child)
  return total
}

function survive(node: Node, loss: PowerLoss, random: Random): Node {
  if (node.kind === 'file') {
    const kept = survivingBytes(node, loss, random)
    return { kind: 'file', data: kept, synced: kept }
  }
  const entries = new Map<string, Node>()
  const kept = loss === 'entries' || loss === 'both' ? node.synced : node.entries
  for (const [name, child] of kept) entries.set(name, survive(child, loss, random))
  return { kind: 'directory', entries, synced: new Map(entries) }
}

function survivingBytes(node: FileNode, loss: PowerLoss, random: Random): Buffer {
  if (loss === 'entries') return node.data
  if (loss !== 'prefix') return node.synced
  return node.data.subarray(0, node.synced.length + random.int(node.data.length - node.synced.length + 1))
}
