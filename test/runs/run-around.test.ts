/** A model folder leads to the run that it came out of. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runAround } from '../../src/runs/run-around.js'
import { RUN_FILE, RUN_FORMAT } from '../../src/runs/run-manifest.js'
import { temporaryFolder } from '../helpers/folders.js'

const manifest = {
  format: RUN_FORMAT,
  kind: 'dpo',
  status: 'done',
  started: '',
  updated: '',
  resumed: 0,
  pid: 1,
  config: { method: 'dpo' },
  data: [],
  versions: {},
  hardware: {},
}

test('the folder itself, or the one around it, holds the run; another model has none', () => {
  const dir = temporaryFolder()
  const model = join(dir, 'checkpoint-1')
  fs.mkdirSync(model)
  expect(runAround(model)).toBeUndefined()
  fs.writeFileSync(join(dir, RUN_FILE), JSON.stringify(manifest))
  expect(runAround(model)).toMatchObject({ dir, manifest: { config: { method: 'dpo' } } })
  expect(runAround(dir)?.dir).toBe(dir)
  fs.writeFileSync(join(model, RUN_FILE), 'torn')
  expect(runAround(model)?.dir).toBe(dir)
})
