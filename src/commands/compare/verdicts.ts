/** Verdicts of people and judges on the systems that are compared. */

import { usageError } from '../../errors.js'
import type { MeasuredSystems, Measures } from '../../evaluate/measures.js'
import type { ComparisonReport } from '../../report/types.js'
import type { Judgement } from '../../report/verdicts/judgements.js'
import type { Needs } from '../../session/needs.js'
import { count } from '../../show/units.js'
import type { Estimate } from '../../statistics/estimate.js'
import { groupBy } from '../../statistics/group-by.js'
import { wilson } from '../../statistics/intervals.js'
import { readComparison } from '../../verdicts/comparison-file.js'
import { type AgainstBaseline, type VerdictFigures, verdictFigures } from '../../verdicts/figures.js'
import { type RaterQuality, raterQualities } from '../../verdicts/rater-quality.js'
import type { RaterKind } from '../../verdicts/types.js'

/** Scorers are told of by the evaluation itself. */
const WHO: Partial<Record<RaterKind, string>> = { person: 'people', judge: 'the judge', rule: 'the rule' }

/**
 * By file and kind of rater; verdicts on a system that is not compared are left out, and said.
 * @param systems names, the baseline first
 * @throws ClhaError (exit 2) for a file that is no comparison, or has no verdict on the baseline
 */
export function verdictsOf(
  files: readonly string[],
  systems: readonly string[],
  { options: { seed }, ui }: Needs<'seed', 'ui'>,
): ComparisonReport['verdicts'] {
  const [baseline] = systems
  return files.flatMap((file) => {
    const comparison = readComparison(file)
    return [...groupBy(comparison.rows, ({ kind }) => kind)].flatMap(([kind, rows]) => {
      const who = WHO[kind]
      if (!who) return []
      const own = rows.filter((row) => row.systems.every((system) => systems.includes(system)))
      const figures = verdictFigures(comparison, own, { baseline, seed })
      const others = rows.length - own.length
      if (figures ? figures.baseline !== baseline : others > 0) {
        throw usageError(
          `${file}: ${who} said nothing of ${baseline} and what it is compared with`,
          'name the systems as the verdicts do, and as first the one that they are against',
        )
      }
      if (others > 0) {
        ui.line(
          `${file}: ${count(others)} of ${count(rows.length)} verdicts of ${who} are on other systems, and left out`,
        )
      }
      return figures ? [{ who, file, figures, raters: raterQualities(own) }] : []
    })
  })
}

export const peopleFirst = (verdicts: ComparisonReport['verdicts']): ComparisonReport['verdicts'] =>
  verdicts.toSorted((a, b) => Number(b.who === 'people') - Number(a.who === 'people'))

const SHORT: Partial<Record<string, string>> = { people: 'people', 'the judge': 'judge', 'the rule': 'rule' }

/**
 * The measures of a report with those of its verdicts: `winrate@people`, `alpha@judge` … The first kind of rater that
 * judged a system is the one that the report concludes from, so its win rate is also the plain `winrate`.
 */
export function withVerdicts(
  measured: MeasuredSystems | undefined,
  verdicts: ComparisonReport['verdicts'],
): MeasuredSystems | undefined {
  if (!measured) return undefined
  const systems = { ...measured.systems }
  // The most trusted comes last, and its plain names stay.
  for (const { who, figures, raters } of [...verdicts].reverse()) {
    for (const { system, ...own } of figures.against) {
      if (!systems[system]) continue
      const found = measuresOfVerdicts(own, figures, raters)
      const named = Object.entries(found).map(([name, value]) => [`${name}@${SHORT[who] ?? who}`, value])
      const { winrate, winrate_lc } = found
      systems[system] = {
        ...systems[system],
        ...Object.fromEntries(named),
        ...{ winrate, ...(winrate_lc && { winrate_lc }) },
      }
    }
  }
  return { ...measured, systems }
}

function measuresOfVerdicts(
  { winRate, lengthControlled, wins, ties, bothBad, losses }: Omit<AgainstBaseline, 'system'>,
  { alpha }: VerdictFigures,
  raters: readonly RaterQuality[],
): Measures {
  const total = wins + ties + bothBad + losses
  const sum = (of: (rater: RaterQuality) => number) => raters.reduce((all, rater) => all + of(rater), 0)
  const [errors, verdicts] = [sum((rater) => rater.errors), sum((rater) => rater.verdicts)]
  const [position] = raters.flatMap((rater) => rater.position ?? [])
  const estimate = ({ value, interval }: Estimate) => ({ value, ...(interval && { interval }) })
  return {
    winrate: estimate(winRate),
    ...(lengthControlled && { winrate_lc: estimate(lengthControlled) }),
    both_bad: { value: bothBad / total, interval: wilson(bothBad, total) },
    errors: { value: errors / (errors + verdicts) },
    alpha: estimate(alpha.ordinal),
    ...(position && {
      'bias.position': { value: position.bias },
      consistent: { value: position.consistent },
    }),
  }
}

export const judgementsOfVerdicts = (verdicts: ComparisonReport['verdicts']): Judgement[] =>
  verdicts.flatMap(({ who, figures: { baseline, against, raters } }) =>
    against.map(({ system, winRate, lengthControlled }) => ({
      ...{ system, baseline, who, winRate, prompts: winRate.prompts, raters },
      ...(lengthControlled && { lengthControlled }),
    })),
  )
