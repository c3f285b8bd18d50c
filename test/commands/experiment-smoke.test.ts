import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { experiment } from '../../src/commands/experiment/experiment.js'
import { planCells } from '../../src/commands/experiment/plan-cells.js'
import { readExperiment } from '../../src/config/experiment-file.js'
import { METHOD_NAMES } from '../../src/methods/registry.js'
import { createUi } from '../../src/terminal/ui.js'
import { Sink } from '../helpers/sink.js'

const FILE = 'experiments/smoke.yaml'

test('the smoke experiment has every method', async () => {
  const { variants } = await readExperiment(FILE)
  const methods = new Set(Object.values(variants).map(({ method }) => method))
  expect(METHOD_NAMES.filter((name) => !methods.has(name))).toEqual([])
})

test.each([
  'paper-table',
  'ablations',
  'anchors',
  'robust',
  'noise',
  'noise-closeness',
  'noise-length',
  'noise-single',
  'hh',
])('every cell of %s has a valid config', async (name) => {
  const file = `experiments/${name}.yaml`
  const described = await readExperiment(file)
  const tuned = { rates: {}, tried: [] }
  const cells = planCells({ file, experiment: described, outputDir: 'runs/none', tuned })
  expect(new Set(cells.map(({ hash }) => hash)).size).toBe(cells.length)
})

test('the smoke experiment runs every cell, and its table says that it is no result', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-smoke-'))
  const ui = createUi({ stream: new Sink(), env: {} })
  const options = { file: FILE, outputDir: folder, results: join(folder, 'cells.jsonl') }
  const { cells, finished, failed } = await experiment(options, ui)
  expect({ finished, failed }).toEqual({ finished: cells, failed: 0 })
  expect(readFileSync(join(folder, 'table.md'), 'utf8')).toContain('Not results')
  expect(readFileSync(join(folder, 'report.html'), 'utf8')).toContain('not results')
  rmSync(folder, { recursive: true, force: true })
}, 600_000)
