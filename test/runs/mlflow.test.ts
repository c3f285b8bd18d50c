/** What an MLflow server is told, by a server that keeps it. */
import { expect, test } from 'vitest'
import { beginMlflowRun, resumeMlflowRun } from '../../src/runs/mlflow.js'
import { type Asked, fakeServer } from '../reward/fake-server.js'

const USUAL: Record<string, object> = {
  'experiments/search': { experiments: [] },
  'experiments/create': { experiment_id: '7' },
  'runs/create': { run: { info: { run_id: 'r1' } } },
  'runs/get?run_id=r1': { run: { data: {} } },
}
const nameOf = ({ path }: Asked) => path.replace('/api/2.0/mlflow/', '')

/** @param answers what is not as usual */
async function mlflow(
  answers: (name: string, body: Asked['body']) => { status?: number; body: object } | undefined,
) {
  const server = await fakeServer((asked, response) => {
    const { status = 200, body } = answers(nameOf(asked), asked.body) ?? { body: USUAL[nameOf(asked)] ?? {} }
    response.statusCode = status
    return body
  })
  const of = (name: string) => server.asked.filter((one) => nameOf(one) === name).map(({ body }) => body)
  return { ...server, of }
}
const willing = () => undefined

test('a run: its experiment is made, settings once, metrics with their steps, how it ended', async () => {
  const server = await mlflow(willing)
  const run = await beginMlflowRun({ url: server.url, token: 'secret' }, "it's mine", 'runs/a', {
    learning_rate: 1e-4,
    method: 'clha',
    tags: ['x'],
    unset: undefined,
  })
  run.log({ step: 10, loss: 1.5, 'rewards/chosen': Number.NaN, note: 'no number' })
  run.log({ step: 20, loss: 1.25 })
  expect(await run.end('FINISHED')).toBeUndefined()
  expect(server.asked.every(({ headers }) => headers.authorization === 'Bearer secret')).toBe(true)
  expect(server.of('experiments/search')[0].filter).toBe('name = "it\'s mine"')
  expect(server.of('experiments/create')).toEqual([{ name: "it's mine" }])
  expect(server.of('runs/create')[0]).toMatchObject({ experiment_id: '7', run_name: 'runs/a' })
  const batches = server.of('runs/log-batch')
  expect(batches[0].params).toEqual([
    { key: 'learning_rate', value: '0.0001' },
    { key: 'method', value: 'clha' },
    { key: 'tags', value: '["x"]' },
  ])
  expect(batches.flatMap(({ metrics = [] }) => metrics)).toMatchObject([
    { key: 'loss', value: 1.5, step: 10 },
    { key: 'rewards/chosen', value: 'NaN', step: 10 },
    { key: 'loss', value: 1.25, step: 20 },
  ])
  expect(server.of('runs/update')).toMatchObject([{ run_id: 'r1', status: 'FINISHED' }])
})

test('an experiment that is there is taken, and a run that goes on stays one', async () => {
  const found = { experiments: [{ experiment_id: '3' }] }
  const server = await mlflow((name) => (name === 'experiments/search' ? { body: found } : undefined))
  const run = await beginMlflowRun({ url: server.url }, 'clha', 'a', {})
  expect(server.of('runs/create')[0].experiment_id).toBe('3')
  const again = await resumeMlflowRun({ url: server.url }, run.id)
  await again.end('KILLED')
  expect(server.of('runs/update')).toMatchObject([
    { run_id: 'r1', status: 'RUNNING' },
    { run_id: 'r1', status: 'KILLED' },
  ])
})

test('a run that goes on from an earlier checkpoint sends no step twice', async () => {
  const metrics = [
    { key: 'loss', value: 2, timestamp: 1, step: 20 },
    { key: 'eval_loss', value: 2, timestamp: 1, step: '10' },
  ]
  const server = await mlflow((name) =>
    name.startsWith('runs/get') ? { body: { run: { info: {}, data: { metrics } } } } : undefined,
  )
  const run = await resumeMlflowRun({ url: server.url, token: 'secret' }, 'r 1')
  run.log({ step: 15, loss: 2.1, eval_loss: 2.2 })
  run.log({ step: 20, loss: 2, grad_norm: 1 })
  run.log({ step: 25, loss: 1.9 })
  await run.end('FINISHED')
  const asked = server.asked.find(({ path }) => path.includes('runs/get'))
  expect([asked?.path, asked?.headers.authorization]).toEqual([
    '/api/2.0/mlflow/runs/get?run_id=r%201',
    'Bearer secret',
  ])
  expect(server.of('runs/log-batch').flatMap((body) => body.metrics)).toMatchObject([
    { key: 'eval_loss', step: 15 },
    { key: 'grad_norm', step: 20 },
    { key: 'loss', step: 25 },
  ])
})

test('rows that a server refuses end nothing: they are sent again, and the reason is told at the end', async () => {
  let broken = true
  const server = await mlflow((name, body) =>
    broken && name === 'runs/log-batch' && body.metrics
      ? { status: 400, body: { message: 'full' } }
      : undefined,
  )
  const run = await beginMlflowRun({ url: server.url }, 'clha', 'a', {})
  run.log({ step: 1, loss: 2 })
  expect(await run.end('FINISHED')).toBe('HTTP 400: full')
  broken = false
  expect(await run.end('FINISHED')).toBeUndefined()
  expect(server.of('runs/log-batch').at(-1).metrics).toMatchObject([{ key: 'loss', value: 2, step: 1 }])
})

test('a server that is not there is told at the start', async () => {
  const { url } = await mlflow(() => ({ status: 404, body: { message: 'no such page' } }))
  await expect(beginMlflowRun({ url }, 'clha', 'a', {})).rejects.toThrow('HTTP 404: no such page')
})
