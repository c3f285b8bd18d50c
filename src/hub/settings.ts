/** Where the hub is, who we are there and where its files are kept: the environment variables of huggingface_hub. */
import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { usageError } from '../errors.js'

export interface HubSettings {
  /** Such as `https://huggingface.co`, without a slash at its end. */
  endpoint: string
  token?: string
  /** Holds `models--org--name` and `datasets--org--name`. */
  cacheDir: string
  /** Nothing is asked over the network. */
  offline: boolean
  /** Milliseconds without an answer or a byte after which a connection is given up. */
  timeout: number
  /** Tries of a request that failed for a reason that may pass. */
  tries: number
  /** Milliseconds before the second try; doubled each time. */
  pause: number
}

const isOn = (value: string | undefined): boolean => /^(1|true|yes|on)$/i.test(value ?? '')

/** @throws ClhaError (exit 2) for an HF_ENDPOINT that is no address */
export function hubSettings(env: NodeJS.ProcessEnv = process.env): HubSettings {
  const path = (given: string | undefined) => given && expanded(given, env)
  const caches = env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const home = path(env.HF_HOME) || join(expanded(caches, env), 'huggingface')
  const seconds = Number(env.HF_HUB_DOWNLOAD_TIMEOUT)
  return {
    endpoint: endpointOf(env.HF_ENDPOINT || 'https://huggingface.co'),
    token: tokenOf(env, path(env.HF_TOKEN_PATH) || join(home, 'token')),
    cacheDir: path(env.HF_HUB_CACHE || env.HUGGINGFACE_HUB_CACHE) || join(home, 'hub'),
    offline: isOn(env.HF_HUB_OFFLINE) || isOn(env.TRANSFORMERS_OFFLINE),
    timeout: seconds > 0 ? seconds * 1000 : 30_000,
    tries: 5,
    pause: 500,
  }
}

/** As Python has it: files that set variables, unlike a shell, leave `~` and `$NAME` as they are. */
const expanded = (path: string, env: NodeJS.ProcessEnv): string =>
  path
    .replace(/^~(?=\/|$)/, () => homedir())
    .replace(/\$(?:(\w+)|\{([^}]+)\})/g, (whole, name, braced) => env[name ?? braced] ?? whole)

function endpointOf(given: string): string {
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url !== undefined && /^https?:$/.test(url.protocol)) return given.replace(/\/+$/, '')
  throw usageError(`HF_ENDPOINT: ${given} is not an address`, 'give one such as https://huggingface.co')
}

function tokenOf(env: NodeJS.ProcessEnv, file: string): string | undefined {
  const given = (env.HF_TOKEN || env.HUGGING_FACE_HUB_TOKEN || '').trim()
  if (given !== '') return given
  if (isOn(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return undefined
  try {
    return readFileSync(file, 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
