/** Is a folder a whole checkpoint? The manifest answers: every file there, of its size, with its hash. */
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { readWhole, type Storage } from '../../files/storage.js'
import { errorCode } from '../../files/storage-error.js'
import { MANIFEST_NAME, type Manifest, parseManifest } from './manifest.js'
import { stepOf } from './names.js'

export type Verdict = { manifest: Manifest; reason?: undefined } | { manifest?: undefined; reason: string }

/** Larger than any manifest we write; a bigger file is not read into memory. */
const LARGEST_MANIFEST = 16 * 2 ** 20

/**
 * Checks the manifest and every file's size and SHA-256. A file that can't be read makes the checkpoint invalid;
 * it is no error.
 */
export function verifyCheckpoint(storage: Storage, path: string): Verdict {
  return reading(() => {
    const verdict = checkSizes(storage, path)
    if (verdict.manifest === undefined) return verdict
    for (const [name, { sha256 }] of Object.entries(verdict.manifest.files)) {
      const hash = createHash('sha256')
      for (const block of storage.read(join(path, name))) hash.update(block)
      if (hash.digest('hex') !== sha256)
        return { reason: `${name}: its bytes are not the ones that were saved` }
    }
    return verdict
  })
}

/** The quick check: manifest and sizes, no hashing. Enough to tell a finished save from an unfinished one. */
export function looksComplete(storage: Storage, path: string): Verdict {
  return reading(() => checkSizes(storage, path))
}

function reading(check: () => Verdict): Verdict {
  try {
    return check()
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return { reason: `can't be read: ${(error as Error).message}` }
  }
}

function checkSizes(storage: Storage, path: string): Verdict {
  const found = storage.stat(join(path, MANIFEST_NAME))
  if (found?.kind !== 'file') return { reason: `no ${MANIFEST_NAME}: the save was not finished` }
  if (found.bytes > LARGEST_MANIFEST) return { reason: `${MANIFEST_NAME} is too large` }
  const manifest = parseManifest(readWhole(storage, join(path, MANIFEST_NAME)).toString('utf8'))
  if (typeof manifest === 'string') return { reason: manifest }
  const step = stepOf(basename(path))
  if (step !== undefined && step !== manifest.step) {
    return { reason: `${MANIFEST_NAME} belongs to step ${manifest.step}` }
  }
  for (const [name, { bytes }] of Object.entries(manifest.files)) {
    const file = storage.stat(join(path, name))
    if (file?.kind !== 'file') return { reason: `${name} is missing` }
    if (file.bytes !== bytes) return { reason: `${name}: expected ${bytes} bytes, found ${file.bytes}` }
  }
  return { manifest }
}
