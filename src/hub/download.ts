/** One file from the hub to the cache: resumed where it stopped, checked before it gets its name. */

import { type FileHandle, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { ClhaError, resourceError } from '../errors.js'
import { makeFolder } from '../files/folder.js'
import { DiskStorage } from '../files/storage.js'
import { moveIntoPlace } from '../files/whole.js'
import { hashOf, removeFile } from './cache.js'
import { networkError, statusError } from './failures.js'
import { pauseAfter, requestOnce } from './http.js'
import type { RemoteFile } from './listing.js'
import { type HubName, pageOf } from './name.js'
import type { HubSettings } from './settings.js'

export interface Download {
  settings: HubSettings
  name: HubName
  commit: string
  file: RemoteFile
  /** The blob; `<target>.incomplete` grows beside it. */
  target: string
  /** Bytes that are there, of this file. */
  progress(bytes: number): void
}

/**
 * Fetches a blob. The caller holds its lock.
 * @throws ClhaError (exit 2) for a refusal; (exit 4) for a network that stays away, a full disk, or bytes whose hash
 *   is not the promised one, twice
 */
export async function downloadBlob(download: Download): Promise<void> {
  const { file, target } = download
  const incomplete = `${target}.incomplete`
  makeFolder(dirname(target))
  for (let whole = 1; ; whole++) {
    await fetchAll(download, incomplete)
    const found = await hashOf(incomplete, file.blob)
    if (found === file.blob) break
    await removeFile(incomplete)
    if (whole === 2) {
      const message = `${download.name.repo}: ${file.path}: wrong bytes: hash ${found}, the hub promised ${file.blob}`
      throw resourceError(
        message,
        'something on the way changes files: try another network, or a mirror in HF_ENDPOINT',
      )
    }
  }
  moveIntoPlace(new DiskStorage(), incomplete, target)
}

/** Goes on until all bytes are there; as long as bytes come, a cut costs no try. */
async function fetchAll(download: Download, incomplete: string): Promise<void> {
  const { settings, name, file } = download
  let begin = await lengthOf(incomplete, file.size)
  for (let attempt = 1; ; attempt++) {
    const outcome = await fetchFrom(download, incomplete, begin)
    const reached = await lengthOf(incomplete, file.size)
    if (reached === file.size && outcome.failure === undefined) return
    if (reached > begin) attempt = 1
    begin = reached
    if (attempt >= settings.tries) {
      if (outcome.response) throw statusError(settings, name, outcome.response)
      throw networkError(settings, `${name.repo}: ${file.path}`, outcome.failure)
    }
    await wait(pauseAfter(settings, attempt, outcome.response))
  }
}

/** What is there of the file; 0 where it is longer than it may be, and so of another. */
async function lengthOf(incomplete: string, size: number): Promise<number> {
  const found = await stat(incomplete).catch(() => undefined)
  if (found === undefined || found.size <= size) return found?.size ?? 0
  await removeFile(incomplete)
  return 0
}

interface Outcome {
  /** A reason that may pass. */
  failure?: unknown
  /** The answer that was it. */
  response?: Response
}

const encodePath = (path: string) => path.split('/').map(encodeURIComponent).join('/')

async function fetchFrom(download: Download, incomplete: string, begin: number): Promise<Outcome> {
  const { settings, name, commit, file } = download
  const url = `${pageOf(settings.endpoint, name)}/resolve/${commit}/${encodePath(file.path)}`
  const watch = new AbortController()
  const idle = () => watch.abort(new Error(`no byte for ${settings.timeout / 1000} s`))
  let timer = setTimeout(idle, settings.timeout)
  const alive = () => {
    clearTimeout(timer)
    timer = setTimeout(idle, settings.timeout)
  }
  const handle = await open(incomplete, 'a')
  try {
    if (begin === file.size) return {}
    const range: Record<string, string> = begin > 0 ? { range: `bytes=${begin}-` } : {}
    const headers = { 'accept-encoding': 'identity', ...range }
    const response = await requestOnce(settings, url, { headers, signal: watch.signal }).catch(asFailure)
    if (!(response instanceof Response)) return response
    if ([408, 416, 429].includes(response.status) || response.status >= 500) {
      if (response.status === 416) await handle.truncate(0)
      await response.body?.cancel()
      return { response, failure: new Error(`status ${response.status}`) }
    }
    if (!response.ok || response.body === null) throw statusError(settings, name, response)
    const from = continuesAt(response, begin) ? begin : 0
    if (from !== begin) await handle.truncate(0)
    return await append(download, handle, from, response.body, alive)
  } finally {
    clearTimeout(timer)
    watch.abort()
    await handle.close()
  }
}

/** What may pass; a refusal of our own does not. */
const asFailure = (failure: unknown): Outcome => {
  if (failure instanceof ClhaError) throw failure
  return { failure }
}

/** A server may send the whole file although a part was asked for. */
const continuesAt = (response: Response, begin: number): boolean =>
  begin === 0 ||
  (response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${begin}-`) === true)

async function append(
  { name, file, settings, progress }: Download,
  handle: FileHandle,
  from: number,
  body: ReadableStream<Uint8Array>,
  alive: () => void,
): Promise<Outcome> {
  let done = from
  const reader = body.getReader()
  for (;;) {
    let part: Awaited<ReturnType<typeof reader.read>>
    try {
      part = await reader.read()
    } catch (failure) {
      await handle.sync()
      return { failure }
    }
    if (part.done) break
    alive()
    done += part.value.byteLength
    if (done > file.size) {
      await reader.cancel()
      await handle.truncate(0)
      return {
        failure: new Error(`more than the promised ${file.size} bytes came from ${settings.endpoint}`),
      }
    }
    await writeAll(handle, part.value, `${name.repo}: ${file.path}`, settings.cacheDir)
    progress(done)
  }
  await handle.sync()
  return done === file.size
    ? {}
    : { failure: new Error(`the connection ended after ${done} of ${file.size} bytes`) }
}

async function writeAll(
  handle: FileHandle,
  bytes: Uint8Array,
  what: string,
  cacheDir: string,
): Promise<void> {
  try {
    for (let at = 0; at < bytes.byteLength; ) {
      at += (await handle.write(bytes, at, bytes.byteLength - at)).bytesWritten
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code ?? '')) throw error
    throw fullCache(what, cacheDir)
  }
}

/** What has come is kept: the same command goes on from there. */
export const fullCache = (what: string, cacheDir: string, missing = '') =>
  resourceError(
    `${what}: the disk is full: ${missing}the cache is ${cacheDir}`,
    'free some space, or put the cache on another disk with HF_HOME',
  )
