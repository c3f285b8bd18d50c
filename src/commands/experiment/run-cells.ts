/** Runs cells one after the other; one that fails says why, and the others go on. */
import { ClhaError, knownError } from '../../errors.js'
import type { Cell } from '../../evaluate/cells.js'
import { EXIT } from '../../exit-codes.js'
import { openSession } from '../../session/session.js'
import { isStop } from '../../session/stopped.js'
import { amount } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import type { CellPlan } from './plan-cells.js'
import { runCell } from './run-cell.js'
import { type Started, startOf } from './start.js'

export interface Failure {
  cell: string
  message: string
  exitCode: number
}

/** What is told when all is run: every cell that failed, with the first one's exit code. */
export const failedCells = (failures: readonly Failure[]) =>
  new ClhaError(
    failures[0].exitCode as ClhaError['exitCode'],
    `${amount(failures.length, 'cell')} failed:\n${failures.map(({ cell, message }) => `  ${cell}: ${message}`).join('\n')}`,
    'the others are finished and kept; the same command runs only these again',
  )

export const cellName = ({ variant, noise, augmented, seed }: CellPlan): string =>
  [variant, noise === undefined ? '' : `noise ${noise}`, augmented ? `+${augmented}` : '', `seed ${seed}`]
    .filter(Boolean)
    .join(', ')

/** @returns whether a stop was requested */
export async function runCells(
  plans: readonly CellPlan[],
  ui: Ui,
  failures: Failure[],
  finished: (cell: Cell) => void | Promise<void>,
  dev = false,
): Promise<boolean> {
  let started: Started | undefined
  let startHash: string | undefined
  let broken: unknown
  const fail = (plan: CellPlan, error: unknown) => {
    const { message, exitCode } = knownError(error) ?? {
      message: (error as Error).message,
      exitCode: EXIT.bug,
    }
    failures.push({ cell: cellName(plan), message, exitCode })
    ui.warn(`${cellName(plan)} failed: ${message}`)
  }
  try {
    for (const [i, plan] of plans.entries()) {
      ui.station(`${i + 1}/${plans.length} ${cellName(plan)}`)
      try {
        if (startHash !== plan.start.hash) {
          started?.dispose()
          started = broken = undefined
          startHash = plan.start.hash
          const session = await openSession(plan.start.config, ui)
          started = await startOf(session, plan.start, dev).catch((error: unknown) => {
            broken = error
            return undefined
          })
        }
        // A start that failed fails all of its cells: it would fail again.
        if (!started) throw broken
        await finished(await runCell(await openSession(plan.config, ui), plan, started))
      } catch (error) {
        if (isStop(error)) return true
        fail(plan, error)
      }
    }
    return false
  } finally {
    started?.dispose()
  }
}
