/** Named tensors that can be read one at a time, whether they lie in one file or in many. */
import type { TensorEntry } from './safetensors-header.js'

export interface TensorSource {
  /** Name to dtype, shape and place, in the order of the data. */
  readonly entries: ReadonlyMap<string, TensorEntry>
  readonly metadata: ReadonlyMap<string, string>
  /**
   * Reads a tensor's bytes (little-endian, row-major) from `offset` on, as many as `target` has; without an offset all.
   *
   * @throws ClhaError (exit 2) where the name is absent, or the file lost bytes after it was opened
   */
  readInto(name: string, target: Uint8Array, offset?: number): void
  /** Where the bytes lie: an open file, and the offset in it. @throws ClhaError (exit 2) where the name is absent */
  place(name: string): { fd: number; offset: number }
  /** Closes the files; reading afterwards throws. */
  close(): void
}
