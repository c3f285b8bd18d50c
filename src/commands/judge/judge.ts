/** `clha judge`: pairings of a comparison to a judge, and its verdicts into the record. */
import { existsSync } from 'node:fs'
import { loadConfig } from '../../config/load-config.js'
import type { Options } from '../../config/options.js'
import { SECTION_KEYS } from '../../config/sections.js'
import { usageError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { correspond } from '../../judges/correspondence.js'
import { type Estimate, estimateOf } from '../../judges/estimate.js'
import { type JudgeCounts, judgeComparison, openPairings } from '../../judges/judge-comparison.js'
import { createPace } from '../../judges/pace.js'
import { type Pairing, pairingsOf } from '../../judges/pairings.js'
import { openReplies } from '../../judges/replies.js'
import { camelCase } from '../../key-names.js'
import { takeLock } from '../../runs/lock.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount } from '../../show/units.js'
import { comparisonSource } from '../../stations/systems/comparison-source.js'
import { benchOf, configuredJudge, pricesOf } from '../../stations/systems/configured-judge.js'
import type { PositionBias } from '../../statistics/position-bias.js'
import { stopRequested } from '../../terminal/signals.js'
import type { Ui } from '../../terminal/ui.js'
import { type ComparisonLog, openComparison, readComparison } from '../../verdicts/comparison-file.js'
import type { PairCount } from '../../verdicts/summary.js'
import type { VerdictRow } from '../../verdicts/types.js'
import type { Outcome } from '../command.js'
import { sayEstimate, sayVerdicts } from './say-judge.js'

export interface JudgeCall {
  /** Files of answers, or of a comparison. */
  inputs: readonly string[]
  options: Options
  output?: string
  reference?: string
  rater?: string
  estimate?: boolean
}

export interface JudgeResult extends JudgeCounts {
  /** Of the comparison. */
  file: string
  rater: string
  requests: number
  cost?: number
  /** How the systems stand by this judge. */
  pairs: PairCount[]
  /** Of pairs that were seen in both orders. */
  position?: PositionBias
}

/** What a command line says. @throws ClhaError (exit 2) */
export async function judgeCall(args: readonly string[], flags: Record<string, unknown>): Promise<JudgeCall> {
  const [config] = args.filter((name) => /\.ya?ml$/i.test(name))
  const keys = new Set(SECTION_KEYS.judge.map(camelCase) as string[])
  const ofConfig = Object.fromEntries(Object.entries(flags).filter(([flag]) => keys.has(flag)))
  const { options } = await loadConfig(config, ofConfig, 'judge')
  const own = flags as Pick<JudgeCall, 'output' | 'reference' | 'rater' | 'estimate'>
  return { ...own, inputs: args.filter((name) => name !== config), options }
}

/** @throws ClhaError exit 2: nothing to compare, or a judge that gives no verdict; exit 3: the record is in use; exit 4 */
export async function judge({ inputs, options, ...flags }: JudgeCall, ui: Ui): Promise<JudgeOutcome> {
  const endpoint = configuredJudge(options)
  const guided = options.judgeReference || flags.reference !== undefined
  const bench = benchOf(options, endpoint, { name: flags.rater, guided })
  const { path, items } = await comparisonSource(inputs, flags, ui)
  if (guided && !items.some(({ reference }) => reference !== undefined))
    throw usageError(
      'judge_reference: no item has a reference answer',
      'give a file of them with --reference',
    )
  const orders = bench.mode === 'single' ? 'ab' : options.judgeOrders
  const pairings = pairingsOf(items, { pairs: options.judgePairs, orders })
  if (pairings.length === 0)
    throw usageError(`${path}: no item has two answers whose text is known`, 'a judge has to read them')
  ui.station('judge', `${bench.rater} · ${endpoint.name}`)
  const rows = existsSync(path) ? readComparison(path).rows : []
  const estimate = estimateOf(openPairings(pairings, { rows, bench }), bench, endpoint)
  sayEstimate(ui, estimate, options)
  if (flags.estimate) return { result: { ...estimate } }
  const log = openComparison(path, items, { lock: takeLock })
  try {
    return await judged({ ui, options, endpoint, bench, path, pairings, log })
  } finally {
    log.close()
  }
}

interface JudgeOutcome extends Outcome {
  result: JudgeResult | Estimate
}

interface Work {
  ui: Ui
  options: Options
  endpoint: ReturnType<typeof configuredJudge>
  bench: ReturnType<typeof benchOf>
  path: string
  pairings: readonly Pairing[]
  log: ComparisonLog
}

async function judged({ ui, options, endpoint, bench, path, pairings, log }: Work): Promise<JudgeOutcome> {
  if (log.comparison.torn) ui.warn(`${path}: the last verdict was cut off and is asked for again`)
  sayOtherSettings(ui, bench, log.comparison.rows)
  const replies = openReplies(`${path}.replies`)
  const correspondence = correspond({
    judge: endpoint,
    replies,
    pace: createPace(options.judgeRequestsPerMinute),
    prices: pricesOf(options),
    cap: options.judgeMaxCost,
  })
  const bar = ui.progress(pairings.length, 'judging', 'verdicts')
  const spent = () => {
    const cost = correspondence.spent()
    return cost === undefined ? undefined : { cost }
  }
  try {
    const counts = await judgeComparison(pairings, {
      judge: endpoint,
      correspondence,
      concurrency: options.judgeConcurrency,
      stopRequested,
      bench: { ...bench, secret: replies.secret },
      rows: log.comparison.rows,
      append: log.append,
      progress: (done, errors) => bar.update(done, { ...(errors > 0 && { errors }), ...spent() }),
    })
    bar.done(`${amount(correspondence.sent(), 'request')}`)
    throwIfStopped({ stopRequested })
    const result = { file: path, rater: bench.rater, ...counts, requests: correspondence.sent(), ...spent() }
    return finish(ui, path, bench, counts, result)
  } finally {
    replies.close()
  }
}

function finish(
  ui: Ui,
  path: string,
  bench: Work['bench'],
  counts: JudgeCounts,
  result: Omit<JudgeResult, 'pairs' | 'position'>,
): JudgeOutcome {
  const { items, rows } = readComparison(path)
  const own = rows.filter(({ rater, settings }) => rater === bench.rater && settings === bench.settings)
  const summary = sayVerdicts(ui, { items }, own)
  if (counts.judged + counts.known > 0 && counts.errors === counts.judged + counts.known) {
    throw usageError(
      `${bench.rater} gave no verdict in ${amount(counts.errors, 'pairing')}: ${own.at(-1)?.comment}`,
      'another model or template may do better; the replies are kept beside the record',
    )
  }
  ui.line(`verdicts  ${path}`)
  if (counts.left === 0) return { result: { ...result, ...summary } }
  ui.warn(
    `judge_max_cost is reached: ${amount(counts.left, 'pairing')} were not asked`,
    'raise it and run the same command again; what came is not asked for again',
  )
  return { result: { ...result, ...summary }, exitCode: EXIT.resources }
}

/** Two settings under one name would count as one judge that was asked twice. */
function sayOtherSettings(ui: Ui, { rater, settings }: Work['bench'], rows: readonly VerdictRow[]): void {
  const others = rows.filter((row) => row.rater === rater && row.settings !== settings).length
  if (others === 0) return
  ui.warn(
    `the record has ${amount(others, 'row')} of "${rater}" under other settings, which count as the same judge`,
    'give this one a name of its own with --rater',
  )
}
