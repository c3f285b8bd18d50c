/** Tests of raters: pairs of which everybody should know which answer is better. */
import { readExamples } from '../../data/read/read-examples.js'
import { promptKey } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import { answerHash } from '../../verdicts/shapes.js'
import type { ComparisonItem } from '../../verdicts/types.js'

/** Names of the two sides; a rater never sees them. */
const SIDES = ['gold, better', 'gold, worse'] as const

/**
 * One item for each row of a file of preferences, such as `{"prompt": …, "chosen": …, "rejected": …}`. Which answer stands
 * first in the item is no sign: places are drawn for each rater.
 * @throws ClhaError (exit 2) for a file without pairs
 */
export async function goldItems(path: string): Promise<ComparisonItem[]> {
  const { examples } = await readExamples(path)
  return examples.map(({ prompt, candidates, preferences, file, row }) => {
    const [known] = preferences
    if (known === undefined)
      throw usageError(`${file}:${row}: does not say which answer is better`, 'a row has chosen and rejected')
    const texts = [candidates[known.better].text, candidates[known.worse].text]
    return {
      item: `gold-${promptKey(prompt).slice(0, 12)}-${row}`,
      prompt,
      source: 'gold',
      answers: texts.map((text, i) => ({ system: SIDES[i], answer: answerHash(text), text })),
      gold: 'a',
    }
  })
}
