// Hashes, JSON files and sizes: how set-up knows what is already done.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'

export const sha256 = (...parts) => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

/** sha256 of a file that may be large, read as a stream. */
export async function sha256OfFile(path) {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/** Every file below a directory, sorted, as paths relative to it; empty when it does not exist. */
export function listFiles(dir, prefix = '') {
  let entries
  try {
    entries = readdirSync(join(dir, prefix), { withFileTypes: true })
  } catch {
    return []
  }
  return entries
    .flatMap((entry) => {
      const path = prefix ? `${prefix}/${entry.name}` : entry.name
      return entry.isDirectory() ? listFiles(dir, path) : [path]
    })
    .sort()
}

/** A hash over the names and contents of the files that `keep` accepts. */
export function hashTree(dir, keep = () => true) {
  const files = listFiles(dir).filter(keep)
  return sha256(...files.flatMap((file) => [file, readFileSync(join(dir, file))]))
}

/** The parsed file, or null when it is missing or damaged: both mean "do the step again". */
export function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return null
  }
}

/** Writes beside the target and renames, so that a reader never sees half a file. */
export function writeJson(path, value) {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.tmp`
  try {
    writeFileSync(temporary, `${JSON.stringify(value, null, 2)}\n`)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

/** Bytes in all files below a directory; files that vanish meanwhile count as nothing. */
export function sizeOf(dir) {
  let total = 0
  for (const file of listFiles(dir)) {
    try {
      total += statSync(join(dir, file)).size
    } catch {}
  }
  return total
}

/** Removes what earlier processes left beside `path` when they were killed: `path.<pid><ending>`. */
export function removeLeftovers(path, ending) {
  const start = `${basename(path)}.`
  for (const name of safely(() => readdirSync(dirname(path))) ?? [])
    if (
      name.startsWith(start) &&
      name.endsWith(ending) &&
      /^\d+$/.test(name.slice(start.length, -ending.length))
    )
      rmSync(join(dirname(path), name), { recursive: true, force: true })
}

function safely(read) {
  try {
    return read()
  } catch {
    return undefined
  }
}
