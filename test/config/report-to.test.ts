// Where metrics go: what works is taken, `all` is both, anything else is an error that names what works.
import { expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load-config.js'
import { thrown } from '../helpers/folders.js'

test.each([
  ['all', ['tensorboard', 'jsonl']],
  ['[all, jsonl]', ['tensorboard', 'jsonl']],
  ['tensorboard', ['tensorboard']],
  ['[mlflow, jsonl]', ['mlflow', 'jsonl']],
  ['none', ['none']],
])('report_to: %s means %j', (given, expected) => {
  expect(parseConfig('my.yaml', `report_to: ${given}\n`).options.reportTo).toEqual(expected)
})

test.each([
  ['wandb', /wandb takes in what tensorboard wrote: wandb sync/],
  ['trackio', /trackio\.import_tf_events/],
  ['swanlab', /swanlab convert -t tensorboard/],
  ['neptune', /and none$/m],
])('report_to: %s names what works', (tracker, way) => {
  const { message } = thrown(() => parseConfig('my.yaml', `report_to: ${tracker}\n`))
  expect(message).toMatch(/does not write to .*what works is tensorboard, mlflow, jsonl/)
  expect(message).toMatch(way)
})
