/** Errors that people meet: what happened and where, what to do, and the exit code. */
import { EXIT, type ExitCode } from './exit-codes.js'

export class ClhaError extends Error {
  /**
   * @param message what happened and where (file, row, column or key)
   * @param hint    what to do about it, one or more lines
   */
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    readonly hint?: string,
  ) {
    super(message)
    this.name = 'ClhaError'
  }
}

export const usageError = (message: string, hint?: string) => new ClhaError(EXIT.usage, message, hint)
export const busyError = (message: string, hint?: string) => new ClhaError(EXIT.busy, message, hint)
export const resourceError = (message: string, hint?: string) => new ClhaError(EXIT.resources, message, hint)
export const numericsError = (message: string, hint?: string) => new ClhaError(EXIT.numerics, message, hint)
export const noCheckpointError = (message: string, hint?: string) =>
  new ClhaError(EXIT.noCheckpoint, message, hint)

/** System codes of a disk, a quota or a file-size limit that is used up. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG']

/** System codes of a path that can't be used so. */
const UNUSABLE: Record<string, string> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a file stands where a folder is needed',
  EEXIST: 'a file stands where a folder is needed',
  EISDIR: 'a folder stands where a file is needed',
  ENAMETOOLONG: 'the name is too long',
}

/**
 * What people are told of any error: a ClhaError as it is; memory and disk that ran out become one (exit 4), and so do
 * paths that can't be read or written (exit 2).
 * @returns undefined for everything else: a bug
 */
export function knownError(error: unknown): ClhaError | undefined {
  if (error instanceof ClhaError) return error
  if (!(error instanceof Error)) return undefined
  const { code, message, path } = error as NodeJS.ErrnoException
  if (
    /^out of memory|: Out of memory|Array buffer allocation failed|can't allocate memory|Cannot allocate memory/.test(
      message,
    )
  ) {
    return resourceError(
      message,
      'set a smaller max_tokens_per_batch (the result stays the same), or take a smaller model',
    )
  }
  if (code !== undefined && FULL.includes(code)) {
    return resourceError(message, 'the disk is full: free some space, or write elsewhere with output_dir')
  }
  if (code !== undefined && path !== undefined && Object.hasOwn(UNUSABLE, code)) {
    return usageError(
      `${path}: ${UNUSABLE[code]}`,
      'choose another path (output_dir, output_file), or change its permissions',
    )
  }
  return undefined
}
