/** One fixture, one test: every difference it measures is kept for the report, then judged. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { chooseDevice, useDevice } from '../../src/tensor/index.js'

// `CLHA_DEVICE=cuda` holds a GPU against the same numbers.
if (process.env.CLHA_DEVICE) useDevice(chooseDevice(process.env.CLHA_DEVICE))

export interface Measure {
  /** What is compared; a fixture's line shows the largest difference of each kind. */
  what: string
  difference: number
  tolerance: number
  /** The case within the fixture. */
  where?: string
}

declare module 'vitest' {
  interface TaskMeta {
    measures?: Measure[]
  }
}

/** @param difference 0 where the two have to be identical and are */
export type Check = (what: string, difference: number, tolerance: number, where?: string) => void

/** For what has to be identical: ids, texts, formats. */
export const unequal = (found: unknown, expected: unknown): number =>
  JSON.stringify(found) === JSON.stringify(expected) ? 0 : Number.POSITIVE_INFINITY

export const failures = (measures: readonly Measure[]): Measure[] =>
  measures.filter((m) => !(m.difference <= m.tolerance))

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

/** The tree that is named; else the numbers of this repository, and the whole tree that may lie beside it. */
const TREES = process.env.CLHA_FIXTURES
  ? [process.env.CLHA_FIXTURES]
  : [here('../fixtures'), here('../../../shared/fixtures')]

/** Where a fixture lies; undefined when no tree holds it. */
export const locate = (path: string): string | undefined =>
  TREES.map((tree) => `${tree}/${path}`).find(existsSync)

export const json = <T>(path: string): T => JSON.parse(readFileSync(locate(path) ?? path, 'utf8')) as T

/** Names in a folder of the tree; none when it is not there. */
export const entries = (path: string): string[] => {
  const folder = locate(path)
  return folder === undefined ? [] : readdirSync(folder).sort()
}

/** Shown among the fixtures, with the reason. */
export const skip = (name: string, reason: string): void => test.skip(`${name}: ${reason}`, () => {})

/**
 * Compares one fixture.
 * @param path in the tree; without it the fixture is skipped, and the report says so
 * @param run  measures; the test fails after it with all that is above its tolerance
 * @param part of a file that holds several fixtures
 */
export function parity(path: string, run: (check: Check) => void | Promise<void>, part = ''): void {
  if (locate(path) === undefined) {
    skip(path, 'not in this tree')
    return
  }
  test(`${path} ${part}`.trimEnd(), async ({ task }) => {
    const measures: Measure[] = []
    task.meta.measures = measures
    await run((what, difference, tolerance, where) => measures.push({ what, difference, tolerance, where }))
    expect(measures.length, 'nothing was measured').toBeGreaterThan(0)
    expect(failures(measures)).toEqual([])
  })
}
