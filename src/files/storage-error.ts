/** What went wrong on the disk: system codes sorted by what can be done about them. */

/** An error with a system code, as node:fs throws it. */
export function systemError(code: string, operation: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code, syscall: operation, path })
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

const TRANSIENT = new Set(['EAGAIN', 'EBUSY', 'EINTR', 'EIO', 'EMFILE', 'ENFILE', 'ETIMEDOUT'])
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** Worth another try from the start, in a fresh folder. */
export const isTransient = (error: unknown) => TRANSIENT.has(errorCode(error) ?? '')

/** The disk, the quota or the file-size limit is used up. */
export const isFull = (error: unknown) => FULL.has(errorCode(error) ?? '')

/**
 * A failed fsync. The kernel may have dropped the pages and marked them clean, so a second fsync would report
 * success for data that is gone.
 */
export class SyncFailure extends Error {
  readonly code: string | undefined

  constructor(
    readonly path: string,
    override readonly cause: unknown,
  ) {
    super(`fsync of ${path} failed: ${cause instanceof Error ? cause.message : String(cause)}`)
    this.name = 'SyncFailure'
    this.code = errorCode(cause)
  }
}
