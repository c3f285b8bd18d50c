/** The address of a server, as a config names it. */
import { usageError } from '../errors.js'

/**
 * @param key     of the config, for messages; its `…_token_env` names the variable with the token
 * @param example an address as it should be
 * @throws ClhaError (exit 2) for what is no http(s) address, or one that holds a password
 */
export function parseAddress(url: string, key: string, example: string): URL {
  const address = URL.canParse(url) ? new URL(url) : undefined
  if (address?.protocol !== 'http:' && address?.protocol !== 'https:') {
    throw usageError(`${key}: not an http:// or https:// address`, `such as ${example}`)
  }
  if (address.username !== '' || address.password !== '') {
    throw usageError(
      `${key} holds a user name or a password, which would be written into every run`,
      `put the token into an environment variable and name that in ${key}_token_env`,
    )
  }
  address.hash = ''
  return address
}

/** For messages: without a query, which may hold secrets. */
export const addressName = ({ origin, pathname }: URL): string => `${origin}${pathname}`

const CHAT = '/v1/chat/completions'

/**
 * The address at which a server that speaks OpenAI's protocol answers chats.
 * @param key of the config, for messages
 * @throws ClhaError (exit 2) for an address that can't be used
 */
export function parseChatAddress(url: string, key: string): URL {
  const address = parseAddress(url, key, 'http://127.0.0.1:8000/v1')
  if (address.pathname === '/') address.pathname = CHAT
  else address.pathname = address.pathname.replace(/\/v1\/?$/, CHAT).replace(/\/$/, '')
  if (address.pathname.endsWith('/chat/completions')) return address
  throw usageError(
    `${key}: "${address.pathname}" is no path of OpenAI's protocol`,
    'give an address that ends in /v1 or /v1/chat/completions',
  )
}
