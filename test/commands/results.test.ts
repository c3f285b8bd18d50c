/** Pages of results: written from cells, and held against them. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { planCells, tunedRates } from '../../src/commands/experiment/plan-cells.js'
import { withTables, wrongClaims } from '../../src/commands/experiment/results.js'
import { readExperiment } from '../../src/config/experiment-file.js'

const root = mkdtempSync(join(tmpdir(), 'clha-results-'))
const write = (path: string, content: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}
const cell = (variant: string, seed: number, noise: number, reward: number, sampled: number) => ({
  hash: `${variant} ${seed} ${noise} ${reward}`,
  variant,
  seed,
  noise,
  learningRate: 1e-3,
  seconds: 1,
  machine: 'm',
  version: '0',
  rewards: { true: [reward, reward] },
  figures: { sampled_true: sampled, order_right: 0.8 },
})
write(
  'cells.jsonl',
  [0, 0.4]
    .flatMap((noise) => [
      ...[1, 2].map((seed) => cell('base', seed, noise, seed, -seed)),
      // Run again: the last one counts.
      cell('mine', 1, noise, 9, 9),
      ...[1, 2].map((seed) => cell('mine', seed, noise, seed + 0.5 + noise * seed, 0)),
    ])
    .map((line) => `${JSON.stringify(line)}\n`)
    .join(''),
)

const block = (settings: string, body = 'anything') =>
  `before\n\n<!-- results ${settings} -->\n${body}\n<!-- end of results -->\n\nbehind`
const SOURCE = 'cells: cells.jsonl, baseline: base'

test('a block is written from its cells, whatever stood there; the text around it stays', async () => {
  const settings = `{${SOURCE}, layout: noise, value: against}`
  const page = await withTables(root, 'page.md', block(settings))
  expect(page).toMatch(/^before\n\n<!-- results /)
  expect(page).toMatch(/<!-- end of results -->\n\nbehind$/)
  expect(page).toContain('| labels reversed | 0 % | 40 % |')
  // Differences: 0.5 and 0.5; 0.9 and 1.3, whose interval is t(0.975, 1) = 12.7 times 0.2 wide on each side.
  expect(page).toMatch(
    /\| mine \| \+0\.50 \(\+0\.50 to \+0\.50\), p \\<0\.001 \| \+1\.10 \(−1\.44 to \+3\.64\), p 0\.11\d \|/,
  )
  expect(page).toContain('over 2 seeds, which is few: they are wide.')
  expect(await withTables(root, 'page.md', page)).toBe(page)
})

test('single figures, chosen variants and all columns', async () => {
  const shares = await withTables(
    root,
    'page.md',
    block(`{${SOURCE}, layout: noise, value: order_right, variants: [mine]}`),
  )
  expect(shares).toContain('| mine | 80 % | 80 % |')
  expect(shares).not.toContain('| base |')
  const rows = await withTables(root, 'page.md', block(`{${SOURCE}, layout: rows}`))
  expect(rows).toContain(
    '| method | labels reversed | true reward, greedy | sampled | against base | p | verdict |',
  )
  expect(rows).toMatch(/\| mine \| 40 % \| .* can't be told apart \|/)
})

test('an experiment that was not run says the command; a wrong block names its page', async () => {
  write(
    'e.yaml',
    'title: E\nbaseline: a\nseeds: [1]\nresults: none.jsonl\nvariants: {a: {method: dpo}, b: {method: clha}}\n',
  )
  expect(await withTables(root, 'page.md', block('{experiment: e.yaml, layout: rows}'))).toContain(
    'Not run yet: `npm run experiment -- e.yaml`.',
  )
  await expect(withTables(root, 'page.md', block('{layout: table}'))).rejects.toThrow(
    /page\.md: \{layout: table\}/,
  )
})

test('experiments share a file of cells: each takes those that it would run, by its own names', async () => {
  const text = (variants: string) =>
    `title: E\nbaseline: a\nseeds: [1]\nnoise: [0.4]\nworld: {}\nresults: shared.jsonl\nvariants: {${variants}}\n`
  const plans = async (name: string, variants: string) => {
    write(name, text(variants))
    const file = join(root, name)
    return planCells({ file, experiment: await readExperiment(file), outputDir: root, tuned: tunedRates() })
  }
  const [a, b] = await plans('one.yaml', 'a: {method: dpo}, b: {method: clha}')
  const [renamed] = await plans('two.yaml', 'a: {method: dpo}, mine: {method: clha, margin: 2}')
  expect(renamed.hash).toBe(a.hash)
  const cells = [
    { ...cell('a', 1, 0.4, 1, 1), hash: a.hash },
    { ...cell('clha of the other file', 1, 0.4, 2, 2), hash: b.hash },
  ]
  write('shared.jsonl', cells.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const one = await withTables(root, 'page.md', block('{experiment: one.yaml, layout: noise, value: greedy}'))
  expect(one).toMatch(/\| a \| \+1\.00.*\n\| b \| \+2\.00/)
  const two = await withTables(root, 'page.md', block('{experiment: two.yaml, layout: noise, value: greedy}'))
  expect(two).toContain('| a | +1.00')
  expect(two).not.toContain('| mine |')
})

test('rates that were tried, the best of a row in bold', async () => {
  const tried = [
    { method: 'a', learningRate: 1e-4, beta: 1, reward: 0.1 },
    { method: 'a', learningRate: 1e-4, beta: 2, reward: 0.4 },
    { method: 'a', learningRate: 1e-3, reward: 0.2 },
  ]
  write('rates.json', JSON.stringify({ rates: {}, tried }))
  expect(await withTables(root, 'page.md', block('{rates: rates.json, layout: rates}'))).toContain(
    '| method | 1e-4 | 1e-3 |\n| --- | ---: | ---: |\n| a | **0.40** | 0.20 |',
  )
})

test('a sentence with another number than the cells is told, with what they say', async () => {
  write('page.md', 'It is ahead by 0.50 without noise,\nand by +1.10 at 40 % (80 % right).\n')
  const claim = (says: string, noise: number, more = '') =>
    `- page: page.md\n  says: '${says}'\n  numbers:\n    x: {${SOURCE}, variant: mine, noise: ${noise}, value: against${more}}\n`
  write(
    'claims.yaml',
    claim('ahead by {x} without noise, and', 0) + claim('by {x} at 40 %', 0.4, ', as: signed'),
  )
  expect(await wrongClaims(root, 'claims.yaml')).toEqual([])
  write('claims.yaml', claim('ahead by {x} without', 0.4) + claim('ahead by {x}', 0.3))
  expect(await wrongClaims(root, 'claims.yaml')).toEqual([
    'page.md: the cells say "ahead by 1.10 without"',
    'page.md: no cell says x of "ahead by {x}"',
  ])
  write(
    'claims.yaml',
    claim('({x} right)', 0.4, ', over: max')
      .replace('against', 'order_right')
      .replace('over', 'as: percent, over'),
  )
  expect(await wrongClaims(root, 'claims.yaml')).toEqual([])
})

test('docs/results.md is what its cells say', async () => {
  const page = readFileSync('docs/results.md', 'utf8')
  expect(await withTables('.', 'docs/results.md', page)).toBe(page)
  expect(await wrongClaims('.', 'docs/results/claims.yaml')).toEqual([])
}, 180_000)
