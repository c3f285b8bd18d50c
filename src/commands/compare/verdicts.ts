/** Verdicts of people and judges on the systems that are compared. */

import type { Prompt } from '../../dialogue.js'
import { usageError } from '../../errors.js'
import type { MeasuredSystems, Measures } from '../../evaluate/measures.js'
import type { ComparisonReport } from '../../report/types.js'
import type { Judgement } from '../../report/verdicts/judgements.js'
import type { Needs } from '../../session/needs.js'
import { count } from '../../show/units.js'
import { questionKey } from '../../stations/systems/read-answers.js'
import type { Estimate } from '../../statistics/estimate.js'
import { groupBy } from '../../statistics/group-by.js'
import { wilson } from '../../statistics/intervals.js'
import type { PositionBias } from '../../statistics/position-bias.js'
import { readComparison } from '../../verdicts/comparison-file.js'
import { countedRows } from '../../verdicts/counted.js'
import { type AgainstBaseline, type VerdictFigures, verdictFigures } from '../../verdicts/figures.js'
import { type RaterQuality, raterQualities } from '../../verdicts/rater-quality.js'
import { answerHash, unknownAnswer } from '../../verdicts/shapes.js'
import type { Comparison, RaterKind, VerdictRow } from '../../verdicts/types.js'

/** Scorers are told of by the evaluation itself. */
const WHO: Partial<Record<RaterKind, string>> = { person: 'people', judge: 'the judge', rule: 'the rule' }

/** What is compared; the baseline is the first system. */
export interface Compared {
  prompts: readonly Prompt[]
  /** An answer that is still to be made is undefined. */
  systems: readonly { name: string; answers: readonly ({ text: string } | undefined)[] }[]
}

interface OwnVerdicts {
  who: string
  file: string
  comparison: Comparison
  /** Verdicts on these answers, and in `unknown` those of them that name no text. */
  own: VerdictRow[]
  unknown: number
  /** Left out: verdicts on other systems, and on other prompts or answers of systems with the same names. */
  otherSystems: number
  otherAnswers: number
}

/**
 * The verdicts of each file and kind of rater that are on the prompts and answers that are compared. Where a file doesn't
 * hold the texts, the prompt decides.
 * @throws ClhaError (exit 2) for a file that is no comparison, or has no verdict on the baseline's answers
 */
export function ownVerdicts(files: readonly string[], compared: Compared): OwnVerdicts[] {
  const names = compared.systems.map(({ name }) => name)
  return files.flatMap((file) => {
    const comparison = readComparison(file)
    const matchOf = matching(comparison, compared)
    return [...groupBy(comparison.rows, ({ kind }) => kind)].flatMap(([kind, rows]) => {
      const who = WHO[kind]
      if (!who) return []
      const named = rows.filter((row) => row.systems.every((system) => names.includes(system)))
      const own = named.filter((row) => matchOf(row) !== 'other')
      if (named.length > 0 && own.length === 0) {
        throw usageError(
          `${file}: ${who} judged other prompts, or other answers, of ${names.join(' and ')}`,
          'compare the answers that the verdicts are on, or leave the file out',
        )
      }
      const counted = countedRows(own)
      const left = rows.length > own.length
      if (counted.length > 0 ? !counted.some(({ systems }) => systems.includes(names[0])) : left) {
        throw usageError(
          `${file}: ${who} said nothing of ${names[0]} and what it is compared with`,
          'name the systems as the verdicts do, and as first the one that they are against',
        )
      }
      return {
        who,
        file,
        comparison,
        own,
        unknown: own.filter((row) => matchOf(row) === 'unknown').length,
        otherSystems: rows.length - named.length,
        otherAnswers: named.length - own.length,
      }
    })
  })
}

/** Tells of a verdict whether it is on the answers that are compared; `unknown` where the file lacks one of the texts. */
function matching({ items }: Comparison, { prompts, systems }: Compared) {
  const places = new Map(prompts.map((prompt, i) => [questionKey(prompt), i]))
  const placeOf = new Map(items.map(({ item, prompt }) => [item, places.get(questionKey(prompt))]))
  const answersOf = new Map(systems.map(({ name, answers }) => [name, answers]))
  return ({ item, a, b, systems: judged }: VerdictRow): 'same' | 'other' | 'unknown' => {
    const place = placeOf.get(item)
    if (place === undefined) return 'other'
    const sides = judged.map((system, side) => {
      const answer = [a, b][side]
      if (answer === unknownAnswer(item, system)) return 'unknown'
      const compared = answersOf.get(system)?.[place]
      return compared === undefined || answerHash(compared.text) === answer ? 'same' : 'other'
    })
    return sides.find((side) => side === 'other') ?? sides.find((side) => side === 'unknown') ?? 'same'
  }
}

/**
 * Figures by file and kind of rater; what is left out is said.
 * @throws ClhaError (exit 2) as `ownVerdicts`
 */
export function verdictsOf(
  files: readonly string[],
  compared: Compared,
  { options: { seed }, ui }: Needs<'seed', 'ui'>,
): ComparisonReport['verdicts'] {
  const baseline = compared.systems[0].name
  return ownVerdicts(files, compared).flatMap(({ who, file, comparison, own, ...found }) => {
    const all = own.length + found.otherSystems + found.otherAnswers
    const leftOut = (n: number, on: string) => {
      if (n > 0)
        ui.line(`${file}: ${count(n)} of ${count(all)} verdicts of ${who} are on ${on}, and left out`)
    }
    leftOut(found.otherSystems, 'other systems')
    leftOut(found.otherAnswers, 'other prompts or other answers')
    if (found.unknown > 0) {
      ui.warn(
        `${file}: ${count(found.unknown)} of ${count(all)} verdicts of ${who} are on answers that the file does not hold, and count by their prompts`,
        'make sure that they were given on the answers that are compared',
      )
    }
    const figures = verdictFigures(comparison, own, { baseline, seed })
    return figures ? [{ who, file, figures, raters: raterQualities(own) }] : []
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
        winrate,
        ...(winrate_lc && { winrate_lc }),
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
  const position = pooled(raters.flatMap((rater) => rater.position ?? []))
  const estimate = ({ value, interval }: Estimate) => ({ value, ...(interval && { interval }) })
  return {
    winrate: estimate(winRate),
    ...(lengthControlled && { winrate_lc: estimate(lengthControlled) }),
    both_bad: { value: bothBad / total, interval: wilson(bothBad, total) },
    errors: { value: errors / (errors + verdicts) },
    alpha: estimate(alpha.ordinal),
    ...position,
  }
}

/** Of all pairs that raters saw in both orders. */
function pooled(seen: readonly PositionBias[]): Measures {
  const sum = (of: (position: PositionBias) => number) =>
    seen.reduce((all, position) => all + of(position), 0)
  const pairs = sum((position) => position.pairs)
  if (pairs === 0) return {}
  return {
    'bias.position': { value: sum(({ first, second }) => first - second) / pairs },
    consistent: { value: sum((position) => (position.consistent ?? 0) * position.pairs) / pairs },
  }
}

export const judgementsOfVerdicts = (verdicts: ComparisonReport['verdicts']): Judgement[] =>
  verdicts.flatMap(({ who, figures: { baseline, against, raters } }) =>
    against.map(({ system, winRate, lengthControlled }) => ({
      system,
      baseline,
      who,
      winRate,
      prompts: winRate.prompts,
      raters,
      ...(lengthControlled && { lengthControlled }),
    })),
  )
