/** The list of a checkpoint's files with sizes and hashes: written last, it is what makes a folder a checkpoint. */

import { sha256 } from '../../files/digest.js'
import { isObject } from '../../files/json.js'

export const MANIFEST_NAME = 'manifest.json'
export const MANIFEST_FORMAT = 'clha-checkpoint/1'

export interface ManifestFile {
  bytes: number
  sha256: string
}

export interface Manifest {
  format: string
  step: number
  /** SHA-256 of the resolved configuration. */
  config_sha256: string
  /** Sorted by name. */
  files: Record<string, ManifestFile>
}

/** A plain name within the checkpoint's folder: no path, nothing hidden, not the manifest itself. */
export const isFileName = (name: string) =>
  /^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/.test(name) && name !== MANIFEST_NAME

/** One way only to write a manifest, closed by the hash of what stands before: every changed bit shows. */
export function serializeManifest(manifest: Manifest): string {
  const files = Object.entries(manifest.files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { bytes, sha256 }]) => [name, { bytes, sha256 }] as const)
  const { format, step, config_sha256 } = manifest
  const body = { format, step, config_sha256, files: Object.fromEntries(files) }
  return `${JSON.stringify({ ...body, manifest_sha256: sha256(JSON.stringify(body)) }, null, 2)}\n`
}

/** The manifest, or why the text is not one. */
export function parseManifest(text: string): Manifest | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return `${MANIFEST_NAME} is not valid JSON`
  }
  if (!isObject(value)) return `${MANIFEST_NAME} is not an object`
  if (value.format !== MANIFEST_FORMAT) return otherFormat(value.format)
  const { step, config_sha256, files } = value
  if (typeof step !== 'number' || typeof config_sha256 !== 'string' || !isObject(files)) {
    return `${MANIFEST_NAME} lacks step, config_sha256 or files`
  }
  const known: Record<string, ManifestFile> = {}
  for (const [name, file] of Object.entries(files)) {
    if (!isFileName(name) || !isManifestFile(file))
      return `${MANIFEST_NAME}: bad entry ${JSON.stringify(name)}`
    known[name] = file
  }
  const manifest = { format: MANIFEST_FORMAT, step, config_sha256, files: known }
  return serializeManifest(manifest) === text ? manifest : `${MANIFEST_NAME} was changed after it was written`
}

function otherFormat(format: unknown): string {
  if (typeof format === 'string' && /^clha-checkpoint\/\d+$/.test(format)) {
    return `written as ${format}, this version reads ${MANIFEST_FORMAT}: use the version of clha that wrote it`
  }
  return `${MANIFEST_NAME} is not in the format ${MANIFEST_FORMAT}`
}

const isManifestFile = (value: unknown): value is ManifestFile & Record<string, unknown> =>
  isObject(value) && Number.isSafeInteger(value.bytes) && /^[0-9a-f]{64}$/.test(String(value.sha256))
