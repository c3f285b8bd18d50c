/** The cache on disk, in the layout that Python's huggingface_hub reads and writes: blobs, snapshots, refs. */

import { createHash, randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import { copyFile, readdir, rename, rm, symlink } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { makeFolder } from '../files/folder.js'
import { writeWhole } from '../files/whole.js'
import type { HubName } from './name.js'

export const DEFAULT_REVISION = 'main'

export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text)

/** `models--org--name`. */
const folderName = ({ kind, repo }: HubName): string => `${kind}s--${repo.replace('/', '--')}`

export const repoDir = (cacheDir: string, name: HubName): string => join(cacheDir, folderName(name))

export const snapshotDir = (cacheDir: string, name: HubName, commit: string): string =>
  join(repoDir(cacheDir, name), 'snapshots', commit)

export const blobPath = (cacheDir: string, name: HubName, blob: string): string =>
  join(repoDir(cacheDir, name), 'blobs', blob)

/** As filelock in Python takes it, so that both wait for each other. */
export const lockPath = (cacheDir: string, name: HubName, blob: string): string =>
  join(cacheDir, '.locks', folderName(name), `${blob}.lock`)

/** The commit that the cache knows for a revision: a ref, or the whole or beginning of a commit. */
export function cachedCommit(cacheDir: string, name: HubName): string | undefined {
  const revision = name.revision ?? DEFAULT_REVISION
  const dir = repoDir(cacheDir, name)
  const ref = join(dir, 'refs', revision)
  if (fs.statSync(ref, { throwIfNoEntry: false })?.isFile()) {
    const commit = fs.readFileSync(ref, 'utf8').trim()
    if (isCommit(commit)) return commit
  }
  if (!/^[0-9a-f]{7,40}$/.test(revision) || !fs.existsSync(join(dir, 'snapshots'))) return undefined
  const found = fs.readdirSync(join(dir, 'snapshots')).filter((commit) => commit.startsWith(revision))
  return found.length === 1 ? found[0] : undefined
}

/** Remembers which commit a branch or tag was. */
export async function writeRef(cacheDir: string, name: HubName, commit: string): Promise<void> {
  const revision = name.revision ?? DEFAULT_REVISION
  if (revision === commit || cachedCommit(cacheDir, name) === commit) return
  const path = join(repoDir(cacheDir, name), 'refs', revision)
  makeFolder(dirname(path))
  writeWhole(path, commit)
}

/** Files of a snapshot as they are named in the repository. */
export async function snapshotFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => fs.existsSync(path))
    .map((path) => relative(dir, path).replaceAll('\\', '/'))
    .sort()
}

/** Makes `pointer` a relative link to the blob; a copy on file systems without links. */
export async function linkBlob(blob: string, pointer: string): Promise<void> {
  makeFolder(dirname(pointer))
  const staging = `${pointer}.${randomBytes(4).toString('hex')}.tmp`
  try {
    await symlink(relative(dirname(pointer), blob), staging)
  } catch (error) {
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    await copyFile(blob, staging)
  }
  await rename(staging, pointer)
}

/** SHA-256 of a file, or the SHA-1 that git gives it, whichever its promised name is. */
export async function hashOf(path: string, blob: string): Promise<string> {
  const hash = createHash(blob.length === 64 ? 'sha256' : 'sha1')
  if (blob.length !== 64) hash.update(`blob ${fs.statSync(path).size}\0`)
  for await (const chunk of fs.createReadStream(path, { highWaterMark: 2 ** 20 }))
    hash.update(chunk as Buffer)
  return hash.digest('hex')
}

export const removeFile = (path: string): Promise<void> => rm(path, { force: true })

/** `org/name@0123abcd4567` and the file in it, for a path within a snapshot; other paths as they are. */
export function hubLabel(path: string): string {
  const found =
    /(?:^|[\\/])(?:models|datasets)--(.+?)--([^\\/]+)[\\/]snapshots[\\/]([0-9a-f]{40})(?:[\\/](.+))?$/.exec(
      path,
    )
  if (!found) return path
  const [, org, name, commit, file] = found
  return `${org}/${name}@${commit.slice(0, 12)}${file === undefined ? '' : `:${file}`}`
}
