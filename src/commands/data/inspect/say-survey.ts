/** What `clha data inspect` says. */

import { statSync } from 'node:fs'
import type { Candidate, Example } from '../../../data/example.js'
import { oneLine } from '../../../show/printable.js'
import { tableOf } from '../../../show/table.js'
import { amount, bytes, count, figure, percent } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import type { InspectResult } from './inspect-result.js'

/** Names of a list that are shown. */
const SHOWN = 8

/** Says all of it, the shortest way that leaves nothing out. */
export function showSurvey(result: InspectResult, { bad }: { bad: boolean }, ui: Ui): void {
  const size = result.files.reduce((sum, { file }) => sum + statSync(file).size, 0)
  const names = result.files.map(({ file }) => file)
  const name =
    names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  ui.station(name, `${amount(result.rows, 'row')} · ${bytes(size)} · ${listed(result.formats, result.kept)}`)
  const sources = Object.fromEntries(result.sources.map(({ name, rows }) => [name, rows]))
  if (result.sources.length > 1) ui.line(`sources  ${listed(sources, result.kept)}`)
  sayPrompts(result, ui)
  sayLengths(result, ui)
  sayLabels(result, ui)
  saySkipped(result, bad, ui)
  for (const example of result.examples) showExample(example, ui)
}

/** `trl_string 98.0 %, hh 2.0 %`; a name that is alone stands alone. */
function listed(counts: Record<string, number>, total: number): string {
  const entries = Object.entries(counts).sort((a, b) => b[1] - a[1])
  if (entries.length === 1) return entries[0][0]
  const shown = entries.slice(0, SHOWN).map(([name, n]) => `${name} ${percent(n / total)}`)
  const more = entries.length > SHOWN ? [`${entries.length - SHOWN} more`] : []
  return [...shown, ...more].join(', ')
}

function sayPrompts(result: InspectResult, ui: Ui): void {
  const { kept, prompts, turns, answersPerRow, distinctPrompts } = result
  const kinds = [
    ...(prompts.dialogue > 0
      ? [`${count(prompts.dialogue)} dialogues of ${turns.min}–${turns.max} turns (median ${turns.median})`]
      : []),
    ...(prompts.system > 0 ? [`${count(prompts.system)} with a system turn`] : []),
    ...(prompts.literal > 0 ? [`${count(prompts.literal)} literal texts`] : []),
  ]
  ui.line(`prompts  ${count(distinctPrompts)} different ones in ${amount(kept, 'row')} · ${kinds.join(', ')}`)
  const sizes = Object.entries(answersPerRow).map(([n, rows]) => `${n} in ${amount(rows, 'row')}`)
  const perPrompt = figure(result.answers / distinctPrompts)
  ui.line(
    `answers  ${count(result.answers)}: ${sizes.slice(0, SHOWN).join(', ')} · ${perPrompt} per different prompt`,
  )
  ui.line(`scripts  ${listed(result.scripts, kept)} (by letters: a hint at the language, not the language)`)
}

function sayLengths({ lengths, tokenizer, template }: InspectResult, ui: Ui): void {
  const rows = Object.entries(lengths).map(([name, summary]) => {
    const [unit, what] = name.split('/')
    return { what: `${what === 'sequence' ? 'prompt + longest answer' : what}, ${unit}`, ...summary }
  })
  ui.table(
    tableOf(rows, [
      { key: 'what', title: 'length' },
      ...(['min', 'p5', 'median', 'p95', 'p99', 'max', 'mean'] as const).map((key) => ({
        key,
        title: TITLES[key],
        align: 'right' as const,
      })),
    ]),
  )
  if (tokenizer === undefined) ui.line('lengths in tokens: --tokenizer-name-or-path')
  else ui.line(`tokens of ${tokenizer}, chat template ${template}`)
}

const TITLES = {
  min: 'least',
  p5: '5 %',
  median: 'median',
  p95: '95 %',
  p99: '99 %',
  max: 'most',
  mean: 'mean',
}

function sayLabels({ preferences, rewards, lengthBias }: InspectResult, ui: Ui): void {
  const { pairs, rows, desirable, undesirable } = preferences
  if (pairs > 0) ui.line(`labels   ${amount(pairs, 'preference')} in ${amount(rows, 'row')}`)
  if (desirable + undesirable > 0)
    ui.line(`labels   ${count(desirable)} answers are desirable, ${count(undesirable)} are not`)
  if (lengthBias) {
    const { betterIsLonger, interval, effect, difference } = lengthBias
    const range = `${percent(interval[0])} to ${percent(interval[1])}`
    ui.line(
      `         the better answer is longer in ${percent(betterIsLonger)} of them (${range}; ` +
        `mean ${figure(difference)} characters, Cohen's d ${effect.toFixed(2)})`,
    )
  }
  if (!rewards) {
    ui.line('rewards  none in the data')
    return
  }
  const { answers, values, agree } = rewards
  const agreement =
    rewards.pairs > 0 ? ` · they agree with ${percent(agree / rewards.pairs)} of the preferences` : ''
  const span = `${figure(values.min)} to ${figure(values.max)}, median ${figure(values.median)}`
  ui.line(`rewards  of ${count(answers)} answers: ${span}${agreement}`)
}

function saySkipped({ skipped, rows, kept, files }: InspectResult, bad: boolean, ui: Ui): void {
  if (rows === kept) return
  ui.warn(
    `${count(rows - kept)} of ${count(rows)} rows can't be used`,
    bad ? undefined : '--bad lists them; docs/data.md says what the reasons mean',
  )
  const where = ({ count: n, first }: InspectResult['skipped'][string]) => {
    if (files.length > 1) return `${first[0].file}:${first[0].row}`
    const places = first.slice(0, 3).map(({ row }) => count(row))
    return `${n === 1 ? 'row' : 'rows'} ${places.join(', ')}${n > places.length ? ', …' : ''}`
  }
  ui.table(
    tableOf(
      Object.entries(skipped).map(([code, entry]) => ({
        code,
        rows: entry.count,
        reason: entry.first[0].reason,
        where: where(entry),
      })),
      [
        { key: 'code', title: 'reason' },
        { key: 'rows' },
        { key: 'reason', title: 'the first one' },
        { key: 'where', title: files.length > 1 ? 'where it is' : 'where they are' },
      ],
    ),
  )
}

/** Columns of a line of text. */
const WIDTH = 140

function showExample({ file, row, prompt, candidates, preferences }: Example, ui: Ui): void {
  ui.line(`\n${file}:${row}`)
  if (typeof prompt === 'string') ui.line(`  prompt     ${oneLine(prompt, WIDTH)}`)
  else for (const { role, content } of prompt) ui.line(`  ${role.padEnd(10)} ${oneLine(content, WIDTH)}`)
  candidates.forEach((candidate, i) => {
    const wins = preferences.filter(({ better }) => better === i).length
    const losses = preferences.filter(({ worse }) => worse === i).length
    ui.line(`  → ${labelOf(candidate, wins, losses).padEnd(8)} ${oneLine(candidate.text, WIDTH)}`)
  })
}

function labelOf({ reward, desirable }: Candidate, wins: number, losses: number): string {
  const words = [
    ...(wins + losses === 0 ? [] : [losses === 0 ? 'better' : wins === 0 ? 'worse' : `beats ${wins}`]),
    ...(desirable === undefined ? [] : [desirable ? 'wanted' : 'unwanted']),
    ...(reward === undefined ? [] : [figure(reward)]),
  ]
  return words.join(' ') || 'answer'
}
