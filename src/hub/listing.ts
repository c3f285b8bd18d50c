/** What a repository holds at a revision, asked through @huggingface/hub. */
import { usageError } from '../errors.js'
import { count } from '../show/units.js'
import { isCommit } from './cache.js'
import { hubFetch } from './http.js'
import { type HubName, nameText } from './name.js'
import type { HubSettings } from './settings.js'

export interface RemoteFile {
  /** Within the repository, with `/`. */
  path: string
  /** Bytes. */
  size: number
  /** Name in `blobs`: the SHA-256 of a large file, git's SHA-1 of a small one, hex. */
  blob: string
}

export interface Listing {
  /** The commit that the revision is now. */
  commit: string
  files: Map<string, RemoteFile>
}

/** @throws ClhaError (exit 2) for no such repository or revision, no access; (exit 4) for a hub that does not answer */
export async function listRepo(settings: HubSettings, name: HubName): Promise<Listing> {
  const { datasetInfo, listFiles, modelInfo } = await import('@huggingface/hub')
  // The token goes along in our own fetch, which knows which host it is for.
  const common = { hubUrl: settings.endpoint, fetch: hubFetch(settings, name) }
  const about = {
    ...common,
    name: name.repo,
    revision: name.revision ?? 'main',
    additionalFields: ['sha' as const],
  }
  const ask = async () =>
    name.kind === 'model' ? (await modelInfo(about)).sha : (await datasetInfo(about)).sha
  const sha = await readable(name, ask)
  if (!isCommit(String(sha))) throw unreadable(name, `its commit is given as ${JSON.stringify(sha)}`)
  const files = new Map<string, RemoteFile>()
  const listed = { ...common, fetch: endingPages(common.fetch, name) }
  let entries = 0
  const repo = { type: name.kind, name: name.repo }
  await readable(name, async () => {
    for await (const entry of listFiles({ ...listed, repo, revision: sha, recursive: true })) {
      entries += 1
      if (entries > MOST_ENTRIES) throw endless(name, `more than ${count(MOST_ENTRIES)} files`)
      if (entry.type !== 'file') continue
      const file = {
        path: entry.path,
        size: entry.lfs?.size ?? entry.size,
        blob: entry.lfs?.oid ?? entry.oid ?? '',
      }
      files.set(file.path, checked(name, file))
    }
  })
  refuseBoth(name, files)
  return { commit: sha, files }
}

/** Entries of a listing, and the pages that they come in. */
const MOST_ENTRIES = 1_000_000
const MOST_PAGES = 1000

const endless = (name: HubName, why: string) =>
  usageError(`${nameText(name)}: its list of files has no end: ${why}`, 'check HF_ENDPOINT')

/** Pages lead to pages: none twice, and not for ever. */
function endingPages(ask: typeof fetch, name: HubName): typeof fetch {
  const seen = new Set<string>()
  return (input, init) => {
    const url = String(input instanceof Request ? input.url : input)
    if (seen.has(url)) throw endless(name, 'a page leads back to itself')
    if (seen.size === MOST_PAGES) throw endless(name, `more than ${count(MOST_PAGES)} pages`)
    seen.add(url)
    return ask(input, init)
  }
}

/** On a disk no name is both a file and a folder. */
function refuseBoth(name: HubName, files: ReadonlyMap<string, RemoteFile>): void {
  for (const path of files.keys()) {
    const parts = path.split('/')
    for (let n = 1; n < parts.length; n++) {
      const folder = parts.slice(0, n).join('/')
      if (!files.has(folder)) continue
      const message = `${nameText(name)}: holds ${JSON.stringify(folder)} as a file and as a folder`
      throw usageError(message, 'do not use this repository')
    }
  }
}

/** An answer that is no JSON, or JSON of another shape, is no bug of ours. */
async function readable<T>(name: HubName, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) throw unreadable(name, error.message)
    throw error
  }
}

const unreadable = (name: HubName, why: string) =>
  usageError(`${nameText(name)}: the answer is not that of a hub: ${why}`, 'check HF_ENDPOINT')

/** Names from the hub become paths on this disk: none may lead out of the snapshot's folder. */
function checked(name: HubName, file: RemoteFile): RemoteFile {
  const { path, size, blob } = file
  const parts = path.split('/')
  const hasControl = [...path].some((character) => character < ' ')
  const bad = hasControl || /\\|^[A-Za-z]:/.test(path) || parts.some((part) => ['', '.', '..'].includes(part))
  if (bad) {
    const message = `${nameText(name)}: holds a file named ${JSON.stringify(path)}, which leads out of its folder`
    throw usageError(message, 'do not use this repository')
  }
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(blob) || !Number.isSafeInteger(size) || size < 0) {
    throw unreadable(name, `${path} has size ${size} and hash ${JSON.stringify(blob)}`)
  }
  return file
}
