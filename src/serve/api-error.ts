/** Errors as OpenAI's clients read them. */
import { knownError } from '../errors.js'
import { oneLine } from '../show/printable.js'

export interface ApiErrorOptions {
  /** Field of the request that is wrong. */
  param?: string
  code?: string
  /** Seconds after which to try again. */
  retryAfter?: number
}

type Status = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 429 | 500 | 503

const TYPES: Partial<Record<Status, string>> = {
  401: 'authentication_error',
  429: 'rate_limit_error',
  500: 'server_error',
  503: 'server_error',
}

export class ApiError extends Error {
  constructor(
    readonly status: Status,
    message: string,
    readonly options: ApiErrorOptions = {},
  ) {
    super(message)
    this.name = 'ApiError'
  }
}

export const badRequest = (message: string, param?: string) => new ApiError(400, message, { param })

/** Something of a request as it is said back: on one line, without control characters, and short. */
export const named = (text: string, width = 60): string => oneLine(text.slice(0, 4 * width), width)

export const busy = () =>
  new ApiError(429, 'the queue is full; try again later', { code: 'queue_full', retryAfter: 1 })

/** What a request's error is to its client: its own ApiError, what our rooms refuse as 400, all else as 500. */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  const known = knownError(error)
  if (known?.exitCode === 2) return badRequest(known.message)
  return new ApiError(500, known ? known.message : 'internal error')
}

export function errorBody({ status, message, options }: ApiError): object {
  const { param = null, code = null } = options
  return { error: { message, type: TYPES[status] ?? 'invalid_request_error', param, code } }
}
