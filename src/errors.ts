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
export const gateError = (message: string, hint?: string) => new ClhaError(EXIT.gate, message, hint)
