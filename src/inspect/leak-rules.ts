/** Prompts that are in another data set as well: an evaluation on them would measure memory. */

import { canonicalPrompt } from '../data/content-key.js'
import type { Example } from '../data/example.js'
import { createSeen } from '../data/read/seen.js'
import { saidIn } from '../dialogue.js'
import { type Finding, finding } from './findings.js'
import { createNearIndex } from './near-index.js'

export interface LeakRules {
  /** Takes a row of the other data. */
  remember(example: Example): void
  check(example: Example): Finding[]
}

/** @param similarity Jaccard similarity of the prompts, in [0.7, 1] */
export function createLeakRules(similarity: number): LeakRules {
  const seen = createSeen()
  const near = createNearIndex(similarity)
  const places: string[] = []
  /** Keys of the checked data start here: they are no leak. */
  const own = 2 ** 52
  return {
    remember({ prompt, file, row }) {
      if (seen.first(canonicalPrompt(prompt), places.length) !== undefined) return
      near.add([saidIn(prompt)])
      places.push(`${file}:${row}`)
    },
    check(example) {
      const place = seen.first(canonicalPrompt(example.prompt), own)
      if (place !== undefined && place !== own) {
        return [finding('prompt_in_both', `the prompt is that of ${places[place]}`, example)]
      }
      const match = near.find([saidIn(example.prompt)])
      if (!match) return []
      const share = `${(100 * match.similarity).toFixed(0)} %`
      return [
        finding('near_prompt_in_both', `the prompt is ${share} that of ${places[match.index]}`, example),
      ]
    },
  }
}
