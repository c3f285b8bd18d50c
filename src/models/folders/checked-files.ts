/** Weights that have a checkpoint's manifest beside them are read only when they are the bytes that were saved. */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { type ModelFiles, openModelFiles } from '../../checkpoint/format/sharded-model.js'
import { MANIFEST_NAME, type Manifest, parseManifest } from '../../checkpoint/policy/manifest.js'
import { noCheckpointError } from '../../errors.js'

/** What makes the model of a checkpoint; the rest of it is for resuming, which checks everything. */
const OF_MODEL =
  /^((model|adapter_model)\b.*\.safetensors(\.index\.json)?|(adapter_)?config\.json|tokenizer\.json)$/

/** A manifest of another program says nothing of these. */
const OURS = /clha-checkpoint|manifest_sha256/

/**
 * `openModelFiles`, for weights that are about to be read.
 * @throws ClhaError (exit 7) naming the file that was changed after it was saved; else as `openModelFiles`
 */
export function openCheckedFiles(folder: string, single?: string): ModelFiles {
  const files = openModelFiles(folder, single)
  try {
    requireSaved(folder)
    return files
  } catch (error) {
    files.close()
    throw error
  }
}

function requireSaved(folder: string): void {
  const path = join(folder, MANIFEST_NAME)
  if (!fs.existsSync(path)) return
  const text = fs.readFileSync(path, 'utf8')
  if (!OURS.test(text)) return
  const manifest = parseManifest(text)
  if (typeof manifest === 'string') throw changed(`${folder}: ${manifest}`)
  for (const [name, { sha256, bytes }] of Object.entries(manifest.files)) {
    if (!OF_MODEL.test(name)) continue
    const file = join(folder, name)
    const found = fs.statSync(file, { throwIfNoEntry: false, bigint: true })
    if (!found) throw changed(`${file}: missing, but ${MANIFEST_NAME} lists it`)
    if (found.size !== BigInt(bytes) || hashOf(file, found) !== sha256)
      throw changed(`${file}: its bytes are not the ones that were saved`)
  }
}

const changed = (message: string) =>
  noCheckpointError(
    message,
    `the disk or a copy damaged it: copy it again, or name another checkpoint; where it was changed on purpose, remove ${MANIFEST_NAME}`,
  )

/** Hashes of this process: a file that keeps place, size and times is not read twice. */
const known = new Map<string, string>()

const keyOf = ({ dev, ino, size, mtimeNs, ctimeNs }: fs.BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(':')

/** Takes over what a whole check of a checkpoint has just found. */
export function noteChecked(folder: string, { files }: Manifest): void {
  for (const [name, { sha256 }] of Object.entries(files)) {
    const found = fs.statSync(join(folder, name), { throwIfNoEntry: false, bigint: true })
    if (found) known.set(keyOf(found), sha256)
  }
}

function hashOf(path: string, found: fs.BigIntStats): string {
  const key = keyOf(found)
  const before = known.get(key)
  if (before !== undefined) return before
  const hash = createHash('sha256')
  const block = Buffer.allocUnsafe(BLOCK)
  const fd = fs.openSync(path, 'r')
  try {
    for (let n = fs.readSync(fd, block); n > 0; n = fs.readSync(fd, block)) hash.update(block.subarray(0, n))
  } finally {
    fs.closeSync(fd)
  }
  const digest = hash.digest('hex')
  known.set(key, digest)
  return digest
}

const BLOCK = 2 ** 20
