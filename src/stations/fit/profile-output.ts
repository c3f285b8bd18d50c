/** A profile of a training as profile.json (Trace Event Format), as profile.txt and in the terminal. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Field, type Row, tableLines, tableOf } from '../../show/table.js'
import { bytes, figure, percent } from '../../show/units.js'
import type { Profile } from '../../train/profile/profile.js'
import { type ProfileSummary, summarize } from '../../train/profile/profile-summary.js'
import { chromeTrace } from '../../train/profile/profile-trace.js'

/** Operators shown in the terminal; profile.txt has all. */
const SHOWN = 15

const milliseconds: Field = { key: 'milliseconds', title: 'ms a step', align: 'right' }
const share: Field = { key: 'share', align: 'right', format: (v) => percent(v as number) }
const size: Field = { key: 'bytes', title: 'new memory', align: 'right', format: (v) => bytes(v as number) }

const PHASE_COLUMNS: Field[] = [
  { key: 'phase' },
  milliseconds,
  share,
  { key: 'outside', title: 'outside libtorch', align: 'right', format: (v) => percent(v as number) },
  size,
]
const OPERATOR_COLUMNS: Field[] = [
  { key: 'operator' },
  { key: 'pass' },
  { key: 'calls', title: 'calls a step', align: 'right' },
  milliseconds,
  share,
  size,
]

/** Writes both files. @returns the lines for the terminal */
export function writeProfile(dir: string, profile: Profile): string[] {
  const summary = summarize(profile)
  writeFileSync(join(dir, 'profile.json'), JSON.stringify(chromeTrace(profile)))
  writeFileSync(join(dir, 'profile.txt'), `${profileLines(summary).join('\n')}\n`)
  return [
    ...profileLines(summary, SHOWN),
    `profile  ${join(dir, 'profile.json')} (chrome://tracing, ui.perfetto.dev)`,
  ]
}

function profileLines(summary: ProfileSummary, shown = Number.POSITIVE_INFINITY): string[] {
  const { steps, tokensPerSecond, mfu, peak, outside, phases, operators } = summary
  const facts = [
    `${steps} steps`,
    `${figure(summary.milliseconds)} ms a step`,
    `${figure(tokensPerSecond)} tokens/s`,
    `${percent(mfu)} of the matrix peak of ${figure(peak / 1e9)} GFLOP/s`,
    `${percent(outside)} outside libtorch`,
    `${bytes(summary.bytes)} of new memory a step`,
  ]
  const rows = (list: readonly object[]) => list as readonly Row[]
  return [
    facts.join(' · '),
    '',
    ...tableLines(tableOf(rows(phases), PHASE_COLUMNS)),
    '',
    ...tableLines(tableOf(rows(operators.slice(0, shown)), OPERATOR_COLUMNS)),
  ]
}
