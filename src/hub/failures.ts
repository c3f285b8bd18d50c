/** What the hub refused, in words that say what to do. */
import { type ClhaError, resourceError, usageError } from '../errors.js'
import { type HubName, nameText, pageOf } from './name.js'
import type { HubSettings } from './settings.js'

const LOGIN = 'put an access token into HF_TOKEN (or log in with: hf auth login)'

/** The hub could not be reached: cached files may do. */
const unreachable = new WeakSet<Error>()

export const isUnreachable = (error: unknown): boolean => error instanceof Error && unreachable.has(error)

/** No answer, after all tries. */
export function networkError({ endpoint }: HubSettings, what: string, cause: unknown): ClhaError {
  const hint = `check the network, or HF_ENDPOINT (now ${endpoint}); with HF_HUB_OFFLINE=1 only files in the cache are used`
  const error = resourceError(`${what}: the hub does not answer: ${reasonOf(cause)}`, hint)
  unreachable.add(error)
  return error
}

/** The innermost reason that has words: fetch says only "fetch failed". */
export function reasonOf(cause: unknown): string {
  const inner = (cause as { cause?: unknown } | undefined)?.cause
  if (inner instanceof Error && (inner.message !== '' || 'code' in inner)) return reasonOf(inner)
  const { message, code } = cause as NodeJS.ErrnoException
  return message || code || String(cause)
}

/** An answer that is final and not what was asked for. */
export function statusError(settings: HubSettings, name: HubName, response: Response): ClhaError {
  const { status, headers } = response
  const code = headers.get('x-error-code') ?? ''
  const page = pageOf(settings.endpoint, name)
  const text = nameText(name)
  if (code === 'GatedRepo') {
    const login =
      settings.token === undefined ? `, then ${LOGIN}` : ', with the account that the token belongs to'
    return usageError(`${text}: this ${name.kind} is gated`, `accept its conditions at ${page}${login}`)
  }
  if (code === 'RevisionNotFound') {
    const hint = `${page}/tree/main shows its branches and tags`
    return usageError(`${text}: has no revision "${name.revision ?? 'main'}"`, hint)
  }
  if (code === 'EntryNotFound') return usageError(`${text}: lists a file that is not there: ${response.url}`)
  if (status === 404 || (status === 401 && (code === 'RepoNotFound' || settings.token === undefined))) {
    const hint = `check the name. If it is private: ${LOGIN}`
    const message = `${text}: no such path here, and no such ${name.kind} on ${settings.endpoint}`
    return usageError(
      message,
      settings.token === undefined ? hint : 'check the name, and what the token may read',
    )
  }
  if (status === 401) {
    const hint = 'it has expired or was revoked: make a new one, or unset HF_TOKEN'
    return usageError(`${text}: the hub does not know the access token`, hint)
  }
  if (status === 403) {
    const hint = `give the token the right to it, or ask for access at ${page}`
    return usageError(`${text}: the access token may not do this${reasonIn(headers)}`, hint)
  }
  if (status === 429) {
    const login = settings.token === undefined ? `; with a token more are allowed: ${LOGIN}` : ''
    return resourceError(`${text}: too many requests to ${settings.endpoint}`, `wait some minutes${login}`)
  }
  const hint = status >= 500 ? 'the hub has trouble: try again later' : undefined
  return resourceError(`${text}: the hub answered ${status}${reasonIn(headers)}`, hint)
}

function reasonIn(headers: Headers): string {
  const reason = headers.get('x-error-message')
  return reason ? `: ${reason.slice(0, 300)}` : ''
}
