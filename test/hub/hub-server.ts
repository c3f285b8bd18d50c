/** A hub on this machine: the calls that clients make of it, a second host for large files, and faults on demand. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
export const gitSha1 = (bytes: Buffer) =>
  createHash('sha1').update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex')

export interface FakeRepo {
  /** Path -> content. Names that end in .safetensors, .parquet or .gz are large files (LFS). */
  files: Record<string, string | Buffer>
  /** Another listing than the files: for hostile names. */
  listed?: string[]
  /** Branch or tag -> commit; main is always there. */
  refs?: Record<string, string>
  /** Needs a token. */
  private?: boolean
  gated?: boolean
}

export interface Seen {
  host: 'hub' | 'cdn'
  method: string
  path: string
  authorization?: string
  range?: string
}

export interface Faults {
  /** Bytes after which the connection is cut, one entry for each answer of the second host. */
  cut?: number[]
  /** Answers with a changed byte. */
  corrupt?: number
  /** Answers with this status before the hub works, in turn. */
  status?: number[]
  /** The second host ignores Range. */
  noRange?: boolean
  /** Milliseconds before each large file. */
  delay?: number
  /** Listings that stop in the middle of their first page. */
  stall?: number
  /** Pages without end: each leads to a new one, or the first one to itself. */
  pages?: 'new' | 'same'
  /** Where large files are said to be. */
  location?: string
}

export interface FakeHub {
  endpoint: string
  cdn: string
  seen: Seen[]
  faults: Faults
  repos: Record<string, FakeRepo>
  /** What was uploaded: repository@branch -> path -> bytes. */
  pushed: Record<string, Record<string, Buffer>>
  created: Record<string, unknown>[]
  token: string
}

export const COMMIT = 'a'.repeat(40)
const LARGE = /\.(safetensors|parquet|gz)$/
const bytesOf = (content: string | Buffer) => Buffer.from(content)

/** @param repos by `org/name` for models and `datasets/org/name` */
export async function startHub(repos: Record<string, FakeRepo>): Promise<FakeHub> {
  const hub: FakeHub = {
    endpoint: '',
    cdn: '',
    seen: [],
    faults: {},
    repos,
    pushed: {},
    created: [],
    token: 'hf_right',
  }
  const stored = new Map<string, Buffer>()
  for (const { files } of Object.values(repos)) {
    for (const content of Object.values(files)) stored.set(sha256(bytesOf(content)), bytesOf(content))
  }
  hub.cdn = await listen((request, response) => cdnAnswer(hub, stored, request, response))
  hub.endpoint = await listen((request, response) => hubAnswer(hub, stored, request, response))
  return hub
}

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    Promise.resolve(answer(request, response)).catch((error) => {
      response.writeHead(500).end(String(error))
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const note = (hub: FakeHub, host: Seen['host'], { method, url, headers }: IncomingMessage) =>
  hub.seen.push({
    host,
    method: method ?? '',
    path: url ?? '',
    authorization: headers.authorization,
    range: headers.range,
  })

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function cdnAnswer(
  hub: FakeHub,
  stored: Map<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  note(hub, 'cdn', request)
  const hash = (request.url ?? '').slice(1).split('?')[0]
  if (request.method === 'PUT') {
    stored.set(hash, await bodyOf(request))
    return response.writeHead(200, { etag: '"x"' }).end()
  }
  const whole = stored.get(hash)
  if (!whole) return response.writeHead(404).end()
  if (hub.faults.delay) await new Promise((done) => setTimeout(done, hub.faults.delay))
  sendBytes(hub, request, response, whole)
}

function sendBytes(hub: FakeHub, request: IncomingMessage, response: ServerResponse, whole: Buffer) {
  const { faults } = hub
  const asked = faults.noRange ? undefined : /^bytes=(\d+)-$/.exec(request.headers.range ?? '')
  const begin = asked ? Number(asked[1]) : 0
  const range = { 'content-range': `bytes ${begin}-${whole.byteLength - 1}/${whole.byteLength}` }
  const part = Buffer.from(whole.subarray(begin))
  if (faults.corrupt) {
    faults.corrupt -= 1
    part[0] ^= 1
  }
  response.writeHead(asked ? 206 : 200, { 'content-length': part.byteLength, ...(asked ? range : {}) })
  const cut = faults.cut?.shift()
  if (cut === undefined) return response.end(part)
  response.write(part.subarray(0, cut), () => setTimeout(() => response.destroy(), 20))
}

async function hubAnswer(
  hub: FakeHub,
  stored: Map<string, Buffer>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  note(hub, 'hub', request)
  const url = new URL(request.url ?? '', hub.endpoint)
  const status = hub.faults.status?.shift()
  if (status !== undefined && status !== 0) return response.writeHead(status).end()
  if (request.method === 'POST') return upload(hub, stored, url, request, response)
  const [, api, , repo, verb, rest] =
    /^\/(api\/)?(models\/)?((?:datasets\/)?[^/]+\/[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(
      url.pathname,
    ) ?? []
  const found = hub.repos[repo]
  const authorized = request.headers.authorization === `Bearer ${hub.token}`
  const refuse = (code: number, name: string) => response.writeHead(code, { 'x-error-code': name }).end()
  if (request.headers.authorization !== undefined && !authorized) return response.writeHead(401).end()
  if (!found || (found.private && !authorized)) return refuse(authorized ? 404 : 401, 'RepoNotFound')
  const [revision, ...parts] = rest.split('/').map(decodeURIComponent)
  const commit =
    revision === 'main' ? COMMIT : (found.refs?.[revision] ?? (revision === COMMIT ? COMMIT : undefined))
  if (commit === undefined) return refuse(404, 'RevisionNotFound')
  if (api && verb === 'revision') return json(response, { _id: '1', id: repo, sha: commit, private: false })
  if (api && verb === 'tree') return tree(hub, found, url, response)
  if (found.gated) return refuse(authorized ? 403 : 401, 'GatedRepo')
  return resolveFile(hub, found, parts.join('/'), request, response)
}

function json(response: ServerResponse, value: unknown, headers: Record<string, string> = {}) {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

/** Three files a page, to be followed by Link. */
function tree(hub: FakeHub, { files, listed }: FakeRepo, url: URL, response: ServerResponse) {
  const entries = Object.entries(files).map(([path, content]) => entryOf(path, bytesOf(content)))
  for (const path of listed ?? []) entries.push(entryOf(path, Buffer.from('x')))
  if (hub.faults.stall) {
    hub.faults.stall -= 1
    response.writeHead(200, { 'content-type': 'application/json' })
    return response.write('[{"type": "file", "path"')
  }
  const page = Number(url.searchParams.get('page') ?? 0)
  if (hub.faults.pages) {
    if (hub.faults.pages === 'new') url.searchParams.set('page', String(page + 1))
    return json(response, [], { link: `<${hub.endpoint}${url.pathname}${url.search}>; rel="next"` })
  }
  url.searchParams.set('page', String(page + 1))
  const more = entries.length > (page + 1) * 3
  const link: Record<string, string> = more
    ? { link: `<${hub.endpoint}${url.pathname}${url.search}>; rel="next"` }
    : {}
  json(response, entries.slice(page * 3, page * 3 + 3), link)
}

function entryOf(path: string, bytes: Buffer) {
  const entry = { type: 'file', path, size: bytes.byteLength, oid: gitSha1(bytes) }
  if (!LARGE.test(path)) return entry
  return {
    ...entry,
    oid: '1'.repeat(40),
    lfs: { oid: sha256(bytes), size: bytes.byteLength, pointerSize: 130 },
  }
}

function resolveFile(
  hub: FakeHub,
  { files }: FakeRepo,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const content = files[path]
  if (content === undefined) return response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end()
  const bytes = bytesOf(content)
  response.setHeader('x-repo-commit', COMMIT)
  if (!LARGE.test(path)) {
    response.setHeader('etag', `"${gitSha1(bytes)}"`)
    return sendBytes({ ...hub, faults: {} }, request, response, bytes)
  }
  const hash = sha256(bytes)
  const linked = { 'x-linked-etag': `"${hash}"`, 'x-linked-size': String(bytes.byteLength) }
  response
    .writeHead(302, { ...linked, location: hub.faults.location ?? `${hub.cdn}/${hash}?signature=1` })
    .end()
}

/** Creating a repository or branch, and a commit: files beside it as LFS, small ones within. */
async function upload(
  hub: FakeHub,
  stored: Map<string, Buffer>,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
) {
  if (request.headers.authorization !== `Bearer ${hub.token}`) return response.writeHead(401).end()
  const text = (await bodyOf(request)).toString()
  if (url.pathname === '/api/repos/create') {
    const value = JSON.parse(text) as { name: string; organization: string }
    const name = `${value.organization}/${value.name}`
    if (hub.repos[name]) return response.writeHead(409).end()
    hub.created.push(value)
    hub.repos[name] = { files: {} }
    return json(response, { url: `${hub.endpoint}/${name}`, id: name })
  }
  const [, repo, verb, branch] =
    /^\/api\/models\/([^/]+\/[^/]+)\/(preupload|commit|branch)\/(.+)$/.exec(url.pathname) ?? []
  if (verb === 'branch') {
    hub.created.push({ branch })
    return json(response, {})
  }
  if (verb === 'preupload') {
    const { files } = JSON.parse(text) as { files: { path: string }[] }
    return json(response, {
      files: files.map(({ path }) => ({ path, uploadMode: LARGE.test(path) ? 'lfs' : 'regular' })),
    })
  }
  if (url.pathname.endsWith('/info/lfs/objects/batch')) {
    const { objects } = JSON.parse(text) as { objects: { oid: string; size: number }[] }
    const actions = (oid: string) =>
      stored.has(oid) ? {} : { actions: { upload: { href: `${hub.cdn}/${oid}` } } }
    return json(response, {
      transfer: 'basic',
      objects: objects.map(({ oid, size }) => ({ oid, size, ...actions(oid) })),
    })
  }
  const target: Record<string, Buffer> = {}
  hub.pushed[`${repo}@${branch}`] = target
  for (const line of text.split('\n')) {
    const { key, value } = JSON.parse(line) as {
      key: string
      value: { path: string; content: string; oid: string }
    }
    if (key === 'file') target[value.path] = Buffer.from(value.content, 'base64')
    if (key === 'lfsFile') target[value.path] = stored.get(value.oid) as Buffer
  }
  return json(response, { commitOid: COMMIT, commitUrl: `${hub.endpoint}/${repo}/commit/${COMMIT}` })
}
