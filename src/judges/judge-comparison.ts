/** All pairings of a comparison to verdicts, several requests at a time; what is known already is not asked again. */
import { type ClhaError, resourceError, usageError } from '../errors.js'
import { inOrder } from '../files/in-order.js'
import { inParallel } from '../http/parallel.js'
import { HttpFailure } from '../http/post-json.js'
import { standing } from '../verdicts/standing.js'
import type { VerdictRow } from '../verdicts/types.js'
import { CapReached, type Correspondence } from './correspondence.js'
import type { JudgeEndpoint } from './judge-endpoint.js'
import { type Bench, errorRow, judgePairing } from './judge-pairing.js'
import type { Pairing } from './pairings.js'

export interface JudgeRun {
  judge: JudgeEndpoint
  correspondence: Correspondence
  bench: Bench
  concurrency: number
  /** Rows of the record so far. */
  rows: readonly VerdictRow[]
  /** Adds rows to the record. */
  append(...rows: VerdictRow[]): void
  progress?(done: number, errors: number): void
  stopRequested?(): boolean
}

interface Earlier {
  rows: readonly VerdictRow[]
  bench: Pick<Bench, 'rater' | 'settings'>
}

export interface JudgeCounts {
  /** Pairings whose verdict was in the record. */
  known: number
  /** New verdicts, errors among them. */
  judged: number
  errors: number
  /** Pairings that were not asked, for the cap was reached. */
  left: number
}

/** So many failures in a row, and as many for each request at a time, say that the server is gone. */
const FAILURES_IN_A_ROW = { least: 8, each: 2 }

/**
 * Rows are appended in the order of the pairings. An earlier error is looked at again: replies that are kept give it
 * anew without a request, and one that never came is asked for.
 * @throws ClhaError: exit 2 when the server refuses or another model answers, exit 4 when it can't be reached; what came
 *   back before is in the record
 */
export async function judgeComparison(pairings: readonly Pairing[], run: JudgeRun): Promise<JudgeCounts> {
  const { concurrency, append } = run
  const earlier = earlierRows(run)
  const open = openPairings(pairings, run)
  const counts: JudgeCounts = { known: pairings.length - open.length, judged: 0, errors: 0, left: 0 }
  const verdictOf = patient(run)
  const record = inOrder<{ pairing: Pairing; row?: VerdictRow }>(({ pairing, row }) => {
    const before = earlier.get(keyOf(pairing))
    if (row === undefined || (before && before.comment === row.comment && row.verdict === 'error')) return
    append(...(before ? [{ ...before, verdict: 'undo' as const, at: row.at }] : []), row)
  })
  try {
    await inParallel(
      [...open.keys()],
      concurrency,
      async (i, signal) => {
        const row = await verdictOf(open[i], signal).catch((error: unknown) => {
          if (!(error instanceof CapReached)) throw error
          return undefined
        })
        record.add(i, { pairing: open[i], row })
        if (row === undefined) return void counts.left++
        counts.judged++
        if (row.verdict === 'error') counts.errors++
        run.progress?.(counts.known + counts.judged, counts.errors)
      },
      run.stopRequested,
    )
  } finally {
    record.flush()
  }
  return counts
}

/** A failure of one request is an error of its pairing; failures without end, or before any reply, end the run. */
function patient({ judge, correspondence, bench, concurrency }: JudgeRun) {
  let inARow = 0
  return async (pairing: Pairing, signal: AbortSignal): Promise<VerdictRow> => {
    try {
      const row = await judgePairing(correspondence, pairing, bench, signal)
      // A tie of equal answers says nothing of the server.
      if (pairing.a.text !== pairing.b.text) inARow = 0
      return row
    } catch (error) {
      if (signal.aborted || !(error instanceof HttpFailure)) throw error
      const most = Math.max(FAILURES_IN_A_ROW.least, FAILURES_IN_A_ROW.each * concurrency)
      const gone = !correspondence.heard() || ++inARow >= most
      if (gone || error.options.denied) throw refusal(judge, pairing, error)
      return errorRow(pairing, bench, error.message)
    }
  }
}

/** Pairings without a verdict of this judge under these settings. */
export function openPairings(pairings: readonly Pairing[], of: Earlier): Pairing[] {
  const earlier = earlierRows(of)
  return pairings.filter((pairing) => (earlier.get(keyOf(pairing))?.verdict ?? 'error') === 'error')
}

/** The row that stands for each pairing of this judge under these settings. */
function earlierRows({ rows, bench }: Earlier): Map<string, VerdictRow> {
  const own = rows.filter(({ rater, settings }) => rater === bench.rater && settings === bench.settings)
  const { judged, errors } = standing(own)
  return new Map([...errors, ...judged].map((row) => [rowKey(row), row]))
}

const rowKey = ({ item, a, b, shown, systems }: VerdictRow): string =>
  JSON.stringify([item, a, b, systems, shown])

const keyOf = ({ item, a, b, shown }: Pairing): string =>
  JSON.stringify([item.item, a.answer, b.answer, [a.system, b.system], shown])

function refusal(judge: JudgeEndpoint, { item }: Pairing, { message, options }: HttpFailure): ClhaError {
  const said = `judge_endpoint ${judge.name}: item ${item.item}: ${message}`
  if (options.retry)
    return resourceError(said, 'verdicts that came are kept; run the same command again to go on')
  if (options.denied) return usageError(said, 'name the variable that holds its token: judge_token_env')
  return usageError(said, 'compare judge_endpoint, judge_model and judge_body with what the server takes')
}
