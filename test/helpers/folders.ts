/** Temporary folders that go with the test, and errors caught to be looked at. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { ClhaError } from '../../src/errors.js'

export function temporaryFolder(): string {
  const path = fs.mkdtempSync(join(tmpdir(), 'clha-test-'))
  onTestFinished(() => fs.rmSync(path, { recursive: true, force: true }))
  return path
}

/** The ClhaError that an action throws; the test fails if it throws another or none. */
export function thrown(action: () => unknown): ClhaError {
  try {
    action()
  } catch (error) {
    expect(error).toBeInstanceOf(ClhaError)
    return error as ClhaError
  }
  throw new Error('nothing was thrown')
}
