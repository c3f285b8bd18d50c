/** Names of models and datasets on the hub: which texts are one, and what they say. */
import { existsSync } from 'node:fs'
import { usageError } from '../errors.js'

export type RepoKind = 'model' | 'dataset'

export interface HubName {
  kind: RepoKind
  /** `org/name`. */
  repo: string
  /** Branch, tag or commit; undefined where none was given. */
  revision?: string
  /** Datasets: a file, a folder or a pattern of files. */
  path?: string
}

/** One half of a name: letters, digits, `_`, `-` and `.`, the last two inside only. */
const isPart = (part: string) =>
  /^\w([\w.-]*\w)?$/.test(part) && !/--|\.\./.test(part) && part.length <= 96 && !part.endsWith('.git')

const isRepo = (repo: string): boolean => {
  const parts = repo.split('/')
  return parts.length === 2 && parts.every(isPart)
}

const isRevision = (revision: string) => /^\w[\w./+-]*$/.test(revision) && !revision.includes('..')

/** `data/pairs.jsonl` is a file that is missing, not a repository. */
const FILE = /\.(jsonl?|ndjson|csv|tsv|parquet|txt|gz|zst|ya?ml|safetensors|bin|pt|gguf|zip)$/i

/**
 * The hub name that a text is; undefined for a path. What lies on this disk is always a path.
 * Forms: `org/name`, `org/name@revision`; for datasets also `org/name:path`, `hf://datasets/org/name/path`.
 * @throws ClhaError (exit 2) for a `hf://` address that can't be read
 */
export function hubName(text: string, kind: RepoKind): HubName | undefined {
  if (text.startsWith('hf://')) return fromUrl(text, kind)
  if (existsSync(text)) return undefined
  const [, repo, revision, path] = /^([^@:]+)(?:@([^:]+))?(?::(.+))?$/.exec(text) ?? []
  if (repo === undefined || !isRepo(repo)) return undefined
  if (revision === undefined && path === undefined && FILE.test(repo)) return undefined
  if (revision !== undefined && !isRevision(revision)) return undefined
  if (path !== undefined && kind === 'model') return undefined
  return { kind, repo, revision, path }
}

/** `hf://datasets/org/name@revision/path` and `hf://org/name@revision`; a revision with `/` has it written as `%2F`. */
function fromUrl(text: string, kind: RepoKind): HubName {
  const bare = text.slice('hf://'.length)
  const isDataset = bare.startsWith('datasets/')
  const [org = '', nameAndRevision = '', ...rest] = (isDataset ? bare.slice(9) : bare).split('/')
  const [name, encoded] = nameAndRevision.split('@')
  const revision = encoded === undefined ? undefined : encoded.replace(/%2F/gi, '/')
  const repo = `${org}/${name}`
  const path = rest.join('/') || undefined
  const readable = isRepo(repo) && (revision === undefined || isRevision(revision))
  if (!readable || isDataset !== (kind === 'dataset') || (path !== undefined && kind === 'model')) {
    const form = kind === 'dataset' ? 'hf://datasets/org/name/path/to/file.jsonl' : 'hf://org/name'
    throw usageError(`${text}: not the address of a ${kind} on the hub`, `the form is ${form}`)
  }
  return { kind, repo, revision, path }
}

/** As it is written in a config. */
export const nameText = ({ repo, revision, path }: HubName): string =>
  `${repo}${revision === undefined ? '' : `@${revision}`}${path === undefined ? '' : `:${path}`}`

/** The page of a repository for people. */
export const pageOf = (endpoint: string, { kind, repo }: Pick<HubName, 'kind' | 'repo'>): string =>
  `${endpoint}/${kind === 'dataset' ? 'datasets/' : ''}${repo}`
