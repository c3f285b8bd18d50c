/** A training's metrics on an MLflow server: named by the environment, one run over resumes, and never in the way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { parseConfig } from '../../src/config/load-config.js'
import { trackerOf } from '../../src/stations/fit/track.js'
import { createUi } from '../../src/terminal/ui.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'
import { type Answer, fakeServer } from '../reward/fake-server.js'

afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

function tracking(dir: string, resume = false, reportTo = 'mlflow') {
  const config = parseConfig('my.yaml', `report_to: ${reportTo}\nlearning_rate: 0.001\n`)
  const screen = new Sink()
  const session = { options: config.options, config, ui: createUi({ stream: screen }) }
  return { tracker: trackerOf(session, { dir, kind: 'clha' }, resume), screen }
}

let made = 0
const willing: Answer = ({ path }) => {
  if (path.endsWith('experiments/search')) return { experiments: [{ experiment_id: '1' }] }
  if (path.endsWith('runs/create')) return { run: { info: { run_id: `run-${++made}` } } }
  if (path.includes('runs/get')) return { run: { data: {} } }
  return {}
}

test('settings and rows reach the server; a run that goes on is the same run there', async () => {
  const { url, asked } = await fakeServer(willing)
  vi.stubEnv('MLFLOW_TRACKING_URI', `${url}/`)
  const dir = temporaryFolder()
  const first = tracking(dir)
  await first.tracker.begin()
  first.tracker.log({ step: 1, loss: 2 })
  await first.tracker.end('KILLED')
  const { id } = JSON.parse(readFileSync(join(dir, 'mlflow.json'), 'utf8'))
  const again = tracking(dir, true)
  await again.tracker.begin()
  again.tracker.log({ step: 2, loss: 1 })
  await again.tracker.end('FINISHED')
  expect(asked.filter(({ path }) => path.endsWith('runs/create'))).toHaveLength(1)
  const batches = asked.filter(({ path }) => path.endsWith('runs/log-batch')).map(({ body }) => body)
  expect(new Set(batches.map(({ run_id }) => run_id))).toEqual(new Set([id]))
  const params = batches.flatMap((body) => body.params ?? [])
  expect(params).toContainEqual({ key: 'learning_rate', value: '0.001' })
  expect(batches.flatMap((body) => body.metrics ?? [])).toMatchObject([
    { key: 'loss', value: 2, step: 1 },
    { key: 'loss', value: 1, step: 2 },
  ])
  expect(first.screen.text + again.screen.text).toBe('')
})

test('what was not taken at the end is told, with where it is', async () => {
  const { url } = await fakeServer((one, response, n) => {
    if (!one.body.metrics) return willing(one, response, n)
    response.statusCode = 400
    return { message: 'full' }
  })
  vi.stubEnv('MLFLOW_TRACKING_URI', url)
  const { tracker, screen } = tracking(temporaryFolder())
  await tracker.begin()
  tracker.log({ step: 1, loss: 2 })
  await tracker.end('FINISHED')
  expect(screen.text).toMatch(/not everything was taken: HTTP 400: full\n.*metrics\.jsonl/)
})

test.each([
  [{ MLFLOW_TRACKING_URI: '' }, /the environment has no MLFLOW_TRACKING_URI/],
  [{ MLFLOW_TRACKING_URI: 'sqlite:///x.db' }, /MLFLOW_TRACKING_URI: not an http/],
  [{ MLFLOW_TRACKING_URI: 'file:///tmp/mlruns' }, /MLFLOW_TRACKING_URI: not an http/],
  [{ MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', MLFLOW_TRACKING_USERNAME: 'me' }, /MLFLOW_TRACKING_USERNAME/],
])('%j is refused before the training begins', (variables, reason) => {
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value)
  const error = thrown(() => tracking(temporaryFolder()))
  expect(error.exitCode).toBe(2)
  expect(error.message).toMatch(reason)
})

test('without mlflow nothing is asked of the environment or of anybody', async () => {
  const { url, asked } = await fakeServer(willing)
  vi.stubEnv('MLFLOW_TRACKING_URI', url)
  const fetched = vi.fn(fetch)
  vi.stubGlobal('fetch', fetched)
  const { tracker } = tracking(temporaryFolder(), false, 'jsonl')
  await tracker.begin()
  tracker.log({ step: 1, loss: 2 })
  await tracker.end('FINISHED')
  expect(fetched).not.toHaveBeenCalled()
  expect(asked).toEqual([])
  // What is asked is seen here.
  await tracking(temporaryFolder()).tracker.begin()
  expect(fetched).toHaveBeenCalled()
})
