/** A reward server as the config names it: its address, what it speaks, and everything that makes its scores. */

import { usageError } from '../errors.js'
import { sha256 } from '../files/digest.js'
import { parseAddress } from '../http/address.js'
import {
  ENDPOINT_TYPES,
  type EndpointFormat,
  type EndpointType,
  FORMATS,
  type FormatSettings,
} from './endpoint-formats.js'
import { gradingText } from './grade.js'

export interface EndpointOptions {
  url: string
  /** The key that names it, for messages; `reward_endpoint` when left out. */
  key?: string
  type: EndpointType | 'auto'
  model?: string
  /** Requests under way at a time. */
  concurrency: number
  timeoutMs: number
  retries: number
  /** First wait before a retry, milliseconds. */
  backoffMs?: number
  token?: string
  rubric?: string
}

export interface RewardEndpoint
  extends Pick<EndpointOptions, 'concurrency' | 'timeoutMs' | 'retries' | 'backoffMs' | 'token'> {
  url: string
  type: EndpointType
  /** The address for messages: without a query, which may hold secrets. */
  name: string
  /** SHA-256 of everything that makes a score, but for prompt and answer; known scores are kept under it. */
  identity: string
  format: EndpointFormat
  settings: FormatSettings
}

/** @throws ClhaError (exit 2) for an address that can't be used, or whose type can't be told from its path */
export function openEndpoint(options: EndpointOptions): RewardEndpoint {
  const { key = 'reward_endpoint' } = options
  const address = parseAddress(options.url, key, 'http://127.0.0.1:8000/score')
  const type = options.type === 'auto' ? typeOf(address, key) : options.type
  const format = FORMATS[type]
  if (address.pathname === '/') address.pathname = format.path
  else if (type === 'openai_chat') address.pathname = address.pathname.replace(/\/v1\/?$/, format.path)
  const { model, rubric } = options
  if (type === 'openai_chat' && model === undefined) {
    const where = key === 'reward_endpoint' ? 'reward_endpoint_model' : `${key}: the model behind #`
    throw usageError(`${where} is missing`, 'name the chat model that is to judge')
  }
  const made = [address.href, type, model, type === 'openai_chat' ? gradingText(rubric) : rubric]
  return {
    ...options,
    url: address.href,
    type,
    name: `${address.origin}${address.pathname}`,
    identity: sha256(JSON.stringify(made)),
    format,
    settings: { model, rubric },
  }
}

function typeOf({ pathname }: URL, key: string): EndpointType {
  const path = pathname.replace(/\/$/, '')
  const type = ENDPOINT_TYPES.find((name) => path.endsWith(FORMATS[name].path))
  if (type) return type
  if (path.endsWith('/v1')) return 'openai_chat'
  const known = ENDPOINT_TYPES.map((name) => `${FORMATS[name].path} (${name})`).join(', ')
  throw usageError(
    `${key}: what the server speaks can't be told from the path "${pathname}"`,
    `${key === 'reward_endpoint' ? 'set reward_endpoint_type, or ' : ''}give an address that ends in one of ${known}`,
  )
}
