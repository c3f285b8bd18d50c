/** Prints one line per fixture with its largest differences, and a last line with the counts. */
import type { Reporter, TestCase, TestModule } from 'vitest/node'
import type { Measure } from './parity.js'

/** Lines of single differences under a fixture that failed. */
const SHOWN_FAILURES = 10

// Infinity does not survive the way from the worker as a number in every version.
const finite = (x: number) => typeof x === 'number' && Number.isFinite(x)
const number = (x: number) => (x === 0 ? '0' : finite(x) ? x.toExponential(1) : 'differs')

const shown = ({ what, difference, tolerance }: Measure): string =>
  tolerance === 0
    ? `${what} ${difference === 0 ? 'identical' : `DIFFERS${finite(difference) ? ` by ${difference}` : ''}`}`
    : `${what} ${number(difference)} of ${number(tolerance)}`

const good = (m: Measure) => finite(m.difference) && m.difference <= m.tolerance

/** The worst measure of each kind. */
function worst(measures: readonly Measure[]): Measure[] {
  const kinds = new Map<string, Measure>()
  for (const m of measures) {
    const kind = `${m.what} ${m.tolerance}`
    const known = kinds.get(kind)
    if (!known || !finite(m.difference) || m.difference > known.difference) kinds.set(kind, m)
  }
  return [...kinds.values()]
}

function lines(test: TestCase): string[] {
  const { state, errors } = test.result()
  const measures = test.meta().measures ?? []
  const mark = { passed: 'ok  ', failed: 'FAIL', skipped: 'skip', pending: 'skip' }[state]
  const first = `${mark}  ${test.fullName.padEnd(44)}  ${worst(measures).map(shown).join(' · ')}`.trimEnd()
  if (state !== 'failed') return [first]
  const bad = measures.filter((m) => !good(m))
  const each = bad.slice(0, SHOWN_FAILURES).map((m) => `        ${m.where ?? ''} ${shown(m)}`)
  const more = bad.length > SHOWN_FAILURES ? [`        and ${bad.length - SHOWN_FAILURES} more`] : []
  const thrown = bad.length === 0 ? [`        ${errors?.[0]?.message}`] : []
  return [first, ...each, ...more, ...thrown]
}

export default class ParityReporter implements Reporter {
  onTestCaseResult(test: TestCase): void {
    console.log(lines(test).join('\n'))
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const count = (state: string) => tests.filter((test) => test.result().state === state).length
    const broken = modules.filter((module) => module.errors().length > 0)
    for (const module of broken) console.log(`FAIL  ${module.moduleId}: ${module.errors()[0].message}`)
    if (count('skipped') > 0) console.log(`${count('skipped')} skipped, each with its reason above`)
    console.log(`${count('passed')} passed, ${count('failed') + broken.length} failed`)
  }
}
