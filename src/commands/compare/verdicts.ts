/** Verdicts of people and judges on the systems that are compared. */

import type { ComparisonReport } from '../../report/types.js'
import type { Judgement } from '../../report/verdicts/judgements.js'
import { groupBy } from '../../statistics/group-by.js'
import { readComparison } from '../../verdicts/comparison-file.js'
import { verdictFigures } from '../../verdicts/figures.js'
import { raterQualities } from '../../verdicts/rater-quality.js'
import type { RaterKind } from '../../verdicts/types.js'

/** Scorers are told of by the evaluation itself. */
const WHO: Partial<Record<RaterKind, string>> = { person: 'people', judge: 'the judge', rule: 'the rule' }

/** People first. @throws ClhaError (exit 2) for a file that is no comparison */
export function verdictsOf(
  files: readonly string[],
  baseline: string,
  seed: number,
): ComparisonReport['verdicts'] {
  const found = files.flatMap((file) => {
    const comparison = readComparison(file)
    return [...groupBy(comparison.rows, ({ kind }) => kind)].flatMap(([kind, rows]) => {
      const who = WHO[kind]
      const figures = who && verdictFigures(comparison, rows, { baseline, seed })
      return figures ? [{ who, file, figures, raters: raterQualities(rows) }] : []
    })
  })
  return found.sort((a, b) => Number(b.who === 'people') - Number(a.who === 'people'))
}

export const judgementsOfVerdicts = (verdicts: ComparisonReport['verdicts']): Judgement[] =>
  verdicts.flatMap(({ who, figures: { baseline, against, raters } }) =>
    against.map(({ system, winRate, lengthControlled }) => ({
      ...{ system, baseline, who, winRate, prompts: winRate.prompts, raters },
      ...(lengthControlled && { lengthControlled }),
    })),
  )
