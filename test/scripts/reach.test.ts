// What a command loads is a promise: no chart library before a report is drawn, and no circle counted twice.
import { expect, test } from 'vitest'
import { deepest, importsOf, LIMITS, reachOf, reachReport } from '../../scripts/reach.mjs'

test('values count, types and dynamic imports do not', () => {
  const text = [
    "import { a } from './a.js'",
    "import type { B } from './b.js'",
    "import { type C } from './c.js'",
    "import './d.js'",
    "export { e } from './e.js'",
    "export type { F } from './f.js'",
    "const later = async () => (await import('./g.js')).g",
  ].join('\n')
  expect(importsOf(text)).toEqual({ values: ['./a.js', './d.js', './e.js'], dynamic: ['./g.js'] })
})

test('reach and depth of a small graph, by hand', () => {
  const file = (...imports: string[]) => ({ imports, dynamic: [], packages: [] })
  const graph = new Map([
    ['src/commands/a.ts', file('src/stations/b.ts', 'src/data/d.ts')],
    ['src/stations/b.ts', file('src/session/c.ts')],
    ['src/session/c.ts', file('src/data/d.ts')],
    ['src/data/d.ts', file()],
    ['src/session/alone.ts', file()],
  ])
  expect(reachOf(graph, 'src/stations/b.ts').size).toBe(3)
  // a -> b -> c: the domain below does not count.
  expect(deepest(graph)).toEqual({
    depth: 2,
    chain: ['src/commands/a.ts', 'src/stations/b.ts', 'src/session/c.ts'],
  })
})

test('no command loads the chart library before it draws a report', () => {
  const { rows } = reachReport()
  expect(rows.length).toBeGreaterThan(20)
  expect(rows.filter(({ chart }: { chart?: string }) => chart !== undefined)).toEqual([])
})

test('imports in the rooms of the application are no deeper than the limit', () => {
  const { depth, chain } = reachReport()
  expect(depth, chain.join(' -> ')).toBeLessThanOrEqual(LIMITS.depth)
})
