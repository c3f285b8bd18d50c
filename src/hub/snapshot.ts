/** A repository's files on this disk: those in the cache as they are, the others fetched. */

import { existsSync, statSync } from 'node:fs'
import { readFile, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ClhaError, usageError } from '../errors.js'
import { makeFolder } from '../files/folder.js'
import {
  blobPath,
  cachedCommit,
  linkBlob,
  lockPath,
  removeFile,
  repoDir,
  snapshotDir,
  snapshotFiles,
  writeRef,
} from './cache.js'
import { downloadBlob, fullCache } from './download.js'
import { isUnreachable } from './failures.js'
import { type Listing, listRepo, type RemoteFile } from './listing.js'
import { type HubName, nameText } from './name.js'
import type { HubSettings } from './settings.js'

export interface HubAccess {
  settings: HubSettings
  /** Takes the lock on a file, or returns undefined at once when another process holds it. */
  lock(path: string): { release(): void } | undefined
  /** Called when files are fetched; `total` in bytes. What `update` throws ends the fetching; what came is kept. */
  progress(total: number, label: string): { update(bytes: number): void; done(): void }
  warn(text: string): void
}

/** Chooses the files that are needed; `read` gives the text of a small one. */
export type Select = (names: readonly string[], read: (name: string) => Promise<string>) => Promise<string[]>

export interface Snapshot {
  folder: string
  /** 40 hex digits. */
  commit: string
  /** Chosen files, as they are named in the repository. */
  files: string[]
}

/** Files fetched at a time. */
const LANES = 4

/**
 * Puts the chosen files of a repository into the cache. Without a network, or offline, those that are there are used.
 * @throws ClhaError (exit 2): no such repository, revision or file, no access, offline and not in the cache;
 *   (exit 4): the hub does not answer, wrong bytes, a full disk
 */
export async function fetchSnapshot(name: HubName, select: Select, access: HubAccess): Promise<Snapshot> {
  const { settings, warn } = access
  if (settings.offline) return cachedSnapshot(name, select, access)
  let listing: Listing
  try {
    listing = await listRepo(settings, name)
  } catch (error) {
    if (!isUnreachable(error) || cachedCommit(settings.cacheDir, name) === undefined) throw error
    const cached = await cachedSnapshot(name, select, access)
    warn(`${(error as Error).message}; commit ${cached.commit.slice(0, 12)} in the cache is used`)
    return cached
  }
  const { commit, files } = listing
  const folder = snapshotDir(settings.cacheDir, name, commit)
  const read = async (path: string) => {
    await fetchFiles(name, listing, [path], access, false)
    return readFile(join(folder, path), 'utf8')
  }
  const wanted = await select([...files.keys()], read)
  await fetchFiles(name, listing, wanted, access, true)
  await writeRef(settings.cacheDir, name, commit)
  return { folder, commit, files: wanted }
}

async function cachedSnapshot(name: HubName, select: Select, { settings }: HubAccess): Promise<Snapshot> {
  const { cacheDir, offline } = settings
  const commit = cachedCommit(cacheDir, name)
  const why = offline ? 'HF_HUB_OFFLINE is set' : 'the hub does not answer'
  const hint = 'fetch it once with a network (without HF_HUB_OFFLINE), or give a folder on this disk'
  if (commit === undefined) {
    throw usageError(`${nameText(name)}: no such path here and not in the cache ${cacheDir}; ${why}`, hint)
  }
  const folder = snapshotDir(cacheDir, name, commit)
  try {
    const files = await select(await snapshotFiles(folder), (path) => readFile(join(folder, path), 'utf8'))
    const gone = files.find((path) => !existsSync(join(folder, path)))
    if (gone === undefined) return { folder, commit, files }
    throw usageError(`${gone} is not there`)
  } catch (error) {
    if (!(error instanceof ClhaError)) throw error
    const text = `${nameText(name)}: not wholly in the cache (${folder}), and ${why}: ${error.message}`
    throw usageError(text, hint)
  }
}

async function fetchFiles(
  name: HubName,
  { commit, files }: Listing,
  paths: readonly string[],
  access: HubAccess,
  shown: boolean,
): Promise<void> {
  const { settings } = access
  const folder = snapshotDir(settings.cacheDir, name, commit)
  const needed = paths.map((path) => {
    const file = files.get(path)
    if (file === undefined) throw usageError(`${nameText(name)}: has no file ${path}`)
    return file
  })
  const missing = needed.filter((file) => !isThere(settings, name, file, folder))
  const total = missing.reduce((sum, { size }) => sum + size, 0)
  if (missing.length > 0) await requireSpace(settings, name, total)
  const bar = shown && missing.length > 0 ? access.progress(total, `fetching ${name.repo}`) : undefined
  const done = new Map<string, number>()
  const queue = [...needed]
  const lane = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { path } = file
      await obtain(name, commit, file, access, (bytes) => {
        done.set(path, bytes)
        bar?.update([...done.values()].reduce((a, b) => a + b, 0))
      })
      const pointer = join(folder, path)
      if (sizeOf(pointer) !== file.size) await linkBlob(blobPath(settings.cacheDir, name, file.blob), pointer)
    }
  }
  // One that fails ends the others after their file: what they have fetched is kept.
  const lanes = await Promise.allSettled(
    Array.from({ length: LANES }, () => lane().catch((e) => abandon(queue, e))),
  )
  const failed = lanes.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
  bar?.done()
}

function abandon(queue: RemoteFile[], error: unknown): never {
  queue.length = 0
  throw error
}

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size

/** A blob of the right size was checked when it got its name; a snapshot may also hold the file itself. */
function isThere(
  { cacheDir }: HubSettings,
  name: HubName,
  { path, size, blob }: RemoteFile,
  folder: string,
): boolean {
  return sizeOf(blobPath(cacheDir, name, blob)) === size || sizeOf(join(folder, path)) === size
}

async function requireSpace({ cacheDir }: HubSettings, name: HubName, bytes: number): Promise<void> {
  makeFolder(repoDir(cacheDir, name))
  const { bavail, bsize } = await statfs(cacheDir)
  if (bytes <= bavail * bsize) return
  throw fullCache(name.repo, cacheDir, `${bytes} bytes are to be fetched, ${bavail * bsize} are free; `)
}

/** The blob of a file, fetched by one process while others wait for it. */
async function obtain(
  name: HubName,
  commit: string,
  file: RemoteFile,
  { settings, lock, warn }: HubAccess,
  progress: (bytes: number) => void,
): Promise<void> {
  const folder = snapshotDir(settings.cacheDir, name, commit)
  const path = lockPath(settings.cacheDir, name, file.blob)
  const target = blobPath(settings.cacheDir, name, file.blob)
  if (isThere(settings, name, file, folder)) return
  makeFolder(dirname(path))
  let held = lock(path)
  if (held === undefined) warn(`${name.repo}: ${file.path} is being fetched elsewhere; waiting for it`)
  while (held === undefined) {
    await wait(100)
    held = lock(path)
  }
  try {
    if (isThere(settings, name, file, folder)) return
    await removeFile(target)
    await downloadBlob({ settings, name, commit, file, target, progress })
  } finally {
    held.release()
  }
}
