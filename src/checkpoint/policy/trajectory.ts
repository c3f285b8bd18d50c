/** Resuming under other settings is another run: the differences are listed, and refused. */
import { usageError } from '../../errors.js'
import { shellPath } from '../../show/shell.js'
import type { TrainingState } from './state.js'

export interface Difference {
  /** A trajectory key changes what is computed; a condition changes only the last bits. */
  kind: 'trajectory' | 'conditions'
  key: string
  saved: unknown
  now: unknown
}

/** What a checkpoint of an earlier version says nothing of. */
const LATER = ['start_model']

type Comparable = Pick<TrainingState, 'seed' | 'conditions' | 'trajectory'>

/** Every key whose value differs between the saved run and the one that wants to go on, sorted by key. */
export function compareTrajectory(saved: Comparable, now: Comparable): Difference[] {
  const isKnown = ([key]: [string, unknown]) => !LATER.includes(key) || Object.hasOwn(saved.trajectory, key)
  const trajectory = Object.fromEntries(Object.entries(now.trajectory).filter(isKnown))
  return [
    ...compare('trajectory', { seed: saved.seed, ...saved.trajectory }, { seed: now.seed, ...trajectory }),
    ...compare('conditions', { ...saved.conditions }, { ...now.conditions }),
  ]
}

function compare(
  kind: Difference['kind'],
  saved: Record<string, unknown>,
  now: Record<string, unknown>,
): Difference[] {
  const keys = [...new Set([...Object.keys(saved), ...Object.keys(now)])].sort()
  return keys
    .filter((key) => canonical(saved[key]) !== canonical(now[key]))
    .map((key) => ({ kind, key, saved: saved[key], now: now[key] }))
}

/** JSON with sorted keys: the order in which a configuration was written says nothing. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, item: unknown) => {
      if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
      return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
    }) ?? 'undefined'
  )
}

/**
 * Refuses to resume where the trajectory would change. Other conditions can be accepted with `allowInexact`.
 *
 * @param folder of the saved checkpoint, for the advice
 * @returns the accepted differences, for the log
 * @throws ClhaError (exit 2) listing the differences
 */
export function requireSameTrajectory(
  saved: Comparable,
  now: Comparable,
  allowInexact: boolean,
  folder: string,
): Difference[] {
  const differences = compareTrajectory(saved, now)
  const refused = differences.filter(({ kind }) => kind === 'trajectory' || !allowInexact)
  if (refused.length === 0) return differences
  const lines = refused.map(({ key, saved, now }) => `  ${key}: saved ${show(saved)}, now ${show(now)}`)
  const onlyConditions = refused.every(({ kind }) => kind === 'conditions')
  throw usageError(
    `can't resume, this would not be the same run:\n${lines.join('\n')}`,
    onlyConditions
      ? 'the result would differ in the last bits; --allow-inexact accepts that'
      : `restore these settings, or start a new run from its weights: --model-name-or-path ${shellPath(folder)} --output-dir NEW, without --resume-from-checkpoint`,
  )
}

const show = (value: unknown) => (value === undefined ? 'not set' : JSON.stringify(value))
