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
