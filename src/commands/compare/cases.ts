/** The cases that a reader should look at: where a system is worst, and some by chance. */
import { createRandom } from '../../random.js'
import type { CaseReport, SampleReport } from '../../report/types.js'
import { formatSigned } from '../../show/numbers.js'

const CASES = 20

/**
 * 20 prompts where `system` is furthest below `baseline` by a scorer, and 20 random ones of the others.
 * @param gaps reward of the system minus that of the baseline, a prompt each; left out where nobody judged
 */
export function casesOf(
  samples: readonly SampleReport[],
  gaps: readonly number[] | undefined,
  { system, baseline, seed }: { system: string; baseline: string; seed: number },
): CaseReport[] {
  const order = samples.map((_, i) => i)
  const worst = gaps
    ? order
        .filter((i) => gaps[i] < 0)
        .sort((a, b) => gaps[a] - gaps[b])
        .slice(0, CASES)
    : []
  const taken = new Set(worst)
  const random = createRandom(`cases:${seed}`)
    .shuffle(order.filter((i) => !taken.has(i)))
    .slice(0, CASES)
  return [
    ...worst.map((i): CaseReport => {
      const note = `${system} minus ${baseline}: ${formatSigned(gaps?.[i])}`
      return { ...samples[i], why: 'worst', note }
    }),
    ...random.map((i): CaseReport => ({ ...samples[i], why: 'random' })),
  ]
}
