/** A link for each rater. Its token comes from a secret that lies beside the comparison, so that it outlives a restart. */
import { createHmac, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { sha256 } from '../files/digest.js'

const SECRET = /^[0-9a-f]{64}$/

/** The secret in the first line of a file that only its owner may read; a new one where there is none. */
export function openSecret(path: string): string {
  const found = existsSync(path) ? readFileSync(path, 'utf8').split('\n')[0].trim() : ''
  if (SECRET.test(found)) return found
  const secret = randomBytes(32).toString('hex')
  writeFileSync(path, `${secret}\n`, { mode: 0o600 })
  return secret
}

export interface Links {
  /** Token of a rater's link. */
  token(rater: string): string
  /** The rater of a token. */
  raterOf(token: string): string | undefined
}

/** Tokens are looked up by their hash, so that the time it takes tells nothing of them. */
export function createLinks(secret: string, raters: readonly string[]): Links {
  const token = (rater: string) =>
    createHmac('sha256', secret).update(`rater:${rater}`).digest('base64url').slice(0, 32)
  const byHash = new Map(raters.map((rater) => [sha256(token(rater)), rater]))
  return { token, raterOf: (given) => byHash.get(sha256(given)) }
}
