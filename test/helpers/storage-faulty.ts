/** A storage that fails where it is told to: at the nth operation, with an error, a short write or a crash. For tests. */
import type { CreateMode, FileStat, Storage, WriteHandle } from '../../src/files/storage.js'
import { systemError } from '../../src/files/storage-error.js'

export interface Operation {
  /** 1 for the first. */
  index: number
  name: keyof Storage | keyof WriteHandle
  path: string
}

export type Fault =
  /** The operation is not done and throws. */
  | { errno: string }
  /** A write takes only this part (at least one byte). */
  | { shortWrite: number }
  /** The process ends before, or right after, the operation; a write is then half done. */
  | { crash: 'before' | 'after' }

/** Stands for the end of the process: once thrown, every later operation throws it too. */
export class Crash extends Error {}

export class FaultyStorage implements Storage {
  /** Every operation asked for, in order. */
  readonly operations: Operation[] = []
  private dead = false

  constructor(
    private readonly inner: Storage,
    private readonly plan: (operation: Operation) => Fault | undefined,
  ) {}

  mkdir(path: string): void {
    this.run('mkdir', path, () => this.inner.mkdir(path))
  }

  create(path: string, mode?: CreateMode): WriteHandle {
    const handle = this.run('create', path, () => this.inner.create(path, mode))
    return {
      write: (bytes) => this.write(handle, path, bytes),
      sync: () => this.run('sync', path, () => handle.sync()),
      close: () => this.run('close', path, () => handle.close()),
    }
  }

  read(path: string): Iterable<Uint8Array> {
    return this.run('read', path, () => this.inner.read(path))
  }

  list(path: string): string[] {
    return this.run('list', path, () => this.inner.list(path))
  }

  stat(path: string): FileStat | undefined {
    return this.run('stat', path, () => this.inner.stat(path))
  }

  rename(from: string, to: string): void {
    this.run('rename', from, () => this.inner.rename(from, to))
  }

  remove(path: string): void {
    this.run('remove', path, () => this.inner.remove(path))
  }

  fsyncDir(path: string): void {
    this.run('fsyncDir', path, () => this.inner.fsyncDir(path))
  }

  freeBytes(path: string): number {
    return this.run('freeBytes', path, () => this.inner.freeBytes(path))
  }

  private write(handle: WriteHandle, path: string, bytes: Uint8Array): number {
    const fault = this.next('write', path)
    if (fault && 'shortWrite' in fault) {
      return handle.write(bytes.subarray(0, Math.max(1, Math.floor(bytes.byteLength * fault.shortWrite))))
    }
    if (fault && 'crash' in fault) {
      handle.write(bytes.subarray(0, fault.crash === 'before' ? 0 : Math.ceil(bytes.byteLength / 2)))
      this.die()
    }
    if (fault && 'errno' in fault) throw systemError(fault.errno, 'write', path)
    return handle.write(bytes)
  }

  private run<T>(name: Operation['name'], path: string, action: () => T): T {
    const fault = this.next(name, path)
    if (fault && 'errno' in fault) throw systemError(fault.errno, name, path)
    if (fault && 'crash' in fault && fault.crash === 'before') this.die()
    try {
      return action()
    } finally {
      if (fault && 'crash' in fault) this.die()
    }
  }

  private next(name: Operation['name'], path: string): Fault | undefined {
    if (this.dead) throw new Crash()
    const operation = { index: this.operations.length + 1, name, path }
    this.operations.push(operation)
    return this.plan(operation)
  }

  private die(): never {
    this.dead = true
    throw new Crash()
  }
}
