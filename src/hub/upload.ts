/** Puts files into a repository of the hub: the repository and the branch where they are missing, then one commit. */
import { pathToFileURL } from 'node:url'
import { usageError } from '../errors.js'
import { hubFetch } from './http.js'
import { type HubName, nameText, pageOf } from './name.js'
import type { HubSettings } from './settings.js'

export interface UploadFile {
  /** In the repository. */
  path: string
  /** A path on this disk, or the text itself. */
  source: { file: string } | { text: string }
  /** Bytes. */
  size: number
}

export interface Upload {
  settings: HubSettings
  /** `revision` is the branch; main when undefined. */
  name: HubName
  private: boolean
  title: string
  files: readonly UploadFile[]
  /** Share of all bytes that is done, 0 to 1. */
  progress(share: number): void
}

export interface Uploaded {
  commit: string
  /** The page for people. */
  url: string
}

/**
 * Large files go to the store that the hub names, by SHA-256: what is there already is not sent again.
 * @throws ClhaError (exit 2): no token, no right to write, a public repository where a private one was asked for;
 *   (exit 4): the hub does not answer
 */
export async function uploadFiles(upload: Upload): Promise<Uploaded> {
  const { settings, name, files, progress } = upload
  if (settings.offline) throw usageError('HF_HUB_OFFLINE is set: nothing is sent', 'unset it to push')
  if (settings.token === undefined) {
    const hint = `make one that may write at ${settings.endpoint}/settings/tokens and put it into HF_TOKEN`
    throw usageError(`${name.repo}: pushing needs an access token`, hint)
  }
  await ensureRepo(upload)
  const { commitIter } = await import('@huggingface/hub')
  const run = commitIter({
    hubUrl: settings.endpoint,
    fetch: hubFetch(settings, name),
    title: upload.title,
    useXet: false,
    repo: { type: name.kind, name: name.repo },
    branch: name.revision ?? 'main',
    operations: files.map(({ path, source }) => ({
      operation: 'addOrUpdate' as const,
      path,
      content: 'file' in source ? pathToFileURL(source.file) : new Blob([source.text]),
    })),
  })
  const sizes = new Map(files.map(({ path, size }) => [path, size]))
  const total = files.reduce((sum, { size }) => sum + size, 0)
  const done = new Map<string, number>()
  for (;;) {
    const step = await run.next()
    if (step.done) return uploaded(settings, name, step.value?.commit.oid)
    if (step.value.event !== 'fileProgress' || step.value.state !== 'uploading') continue
    done.set(step.value.path, step.value.progress * (sizes.get(step.value.path) ?? 0))
    progress(total === 0 ? 1 : [...done.values()].reduce((a, b) => a + b, 0) / total)
  }
}

function uploaded(settings: HubSettings, name: HubName, commit: string | undefined): Uploaded {
  if (commit === undefined) throw usageError(`${nameText(name)}: the hub gave no commit`, 'check HF_ENDPOINT')
  const branch = name.revision === undefined ? '' : `/tree/${name.revision}`
  return { commit, url: `${pageOf(settings.endpoint, name)}${branch}` }
}

/** Statuses of "it is there already". */
const THERE = 409

async function ensureRepo({ settings, name, private: wanted }: Upload): Promise<void> {
  const { createBranch, createRepo, HubApiError, modelInfo } = await import('@huggingface/hub')
  // The library asks for a token of its own; ours goes along in fetch, to the hub alone.
  const common = { hubUrl: settings.endpoint, fetch: hubFetch(settings, name, [THERE]) }
  const isThere = (error: unknown) => {
    if (error instanceof HubApiError && error.statusCode === THERE) return true
    throw error
  }
  const repo = { type: name.kind, name: name.repo }
  const existed = await createRepo({
    ...common,
    repo,
    visibility: wanted ? 'private' : undefined,
  } as Parameters<typeof createRepo>[0]).then(() => false, isThere)
  if (existed && wanted) {
    const info = await modelInfo({ ...common, name: name.repo, revision: 'main' })
    if (!info.private) {
      const hint = `leave --private out, or make it private at ${pageOf(settings.endpoint, name)}/settings`
      throw usageError(`${name.repo}: is public already; --private does not change that`, hint)
    }
  }
  if (name.revision !== undefined && name.revision !== 'main') {
    await createBranch({ ...common, repo, branch: name.revision }).catch(isThere)
  }
}
