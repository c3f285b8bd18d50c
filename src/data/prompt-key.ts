/** What makes two prompts the same: splits, folds and caches go by it, so that no prompt leaks across them. */
import { sha256 } from '../files/digest.js'
import type { Prompt } from './example.js'

/** SHA-256 (hex) of the prompt in a canonical form. */
export function promptKey(prompt: Prompt): string {
  const canonical = typeof prompt === 'string' ? prompt : prompt.map((m) => [m.role, m.content])
  return sha256(JSON.stringify(canonical))
}
