import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { saveCheckpoint } from '../../src/checkpoint/policy/save.js'
import {
  readTrainingState,
  type TrainingState,
  trainingStateFile,
} from '../../src/checkpoint/policy/state.js'
import { compareTrajectory, requireSameTrajectory } from '../../src/checkpoint/policy/trajectory.js'
import { DiskStorage } from '../../src/files/storage.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

const state: TrainingState = {
  step: 120,
  seed: 7,
  bestMetric: 0.1 + 0.2,
  bestStep: 100,
  lossState: { running_mean: 1e-300, count: 3 },
  conditions: { libtorch: '2.13.0', cpuLevel: 'AVX512', threads: 2, build: 'abc', clha: '0.1.0' },
  trajectory: { learning_rate: 1e-6, data: [{ path: 'a.jsonl', sha256: 'x' }], betas: [0.9, 0.999] },
}

test('the state comes back from a checkpoint exactly', () => {
  const saved = saveCheckpoint(new DiskStorage(), temporaryFolder(), 120, [trainingStateFile(state)], {
    configSha256: 'c',
  })
  expect(readTrainingState(saved.path)).toEqual(state)
})

test('what 0.1.0 wrote beyond it is left out', () => {
  const folder = temporaryFolder()
  const older = { format: 'clha-training-state/1', ...state, epoch: 1, cursor: 37 }
  fs.writeFileSync(join(folder, 'training_state.json'), JSON.stringify(older))
  expect(readTrainingState(folder)).toEqual(state)
})

test('a folder without a readable training state says so with exit 7', () => {
  const folder = temporaryFolder()
  expect(thrown(() => readTrainingState(folder)).exitCode).toBe(7)
  for (const text of ['null', '{}', '{"format":"clha-training-state/1","step":"1"}', 'x']) {
    fs.writeFileSync(join(folder, 'training_state.json'), text)
    expect(thrown(() => readTrainingState(folder)).exitCode).toBe(7)
  }
})

test('equal settings in another order are the same trajectory', () => {
  const now = { ...state, trajectory: { ...state.trajectory, data: [{ sha256: 'x', path: 'a.jsonl' }] } }
  expect(compareTrajectory(state, now)).toEqual([])
  expect(requireSameTrajectory(state, now, false, 'runs/r 1/checkpoint-12')).toEqual([])
})

test.each([
  ['a changed value', { learning_rate: 2e-6 }, 'learning_rate: saved 0.000001, now 0.000002'],
  ['a changed data hash', { data: [{ path: 'a.jsonl', sha256: 'y' }] }, 'data: saved'],
  ['a key that is new', { world_size: 2 }, 'world_size: saved not set, now 2'],
  ['a key that is gone', { betas: undefined }, 'betas: saved [0.9,0.999], now not set'],
])('%s is refused with exit 2, also where inexactness is allowed', (_, change, line) => {
  const now = { ...state, trajectory: { ...state.trajectory, ...change } }
  const error = thrown(() => requireSameTrajectory(state, now, true, 'runs/r 1/checkpoint-12'))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain(line)
  expect(error.hint).toContain("--model-name-or-path 'runs/r 1/checkpoint-12' --output-dir NEW")
})

test('another seed is another trajectory', () => {
  expect(compareTrajectory(state, { ...state, seed: 8 })).toEqual([
    { kind: 'trajectory', key: 'seed', saved: 7, now: 8 },
  ])
})

test('a checkpoint of a version that did not record the start model goes on; one that did needs the same', () => {
  const from = (start: string) => ({ ...state, trajectory: { ...state.trajectory, start_model: start } })
  expect(compareTrajectory(state, from('abc'))).toEqual([])
  expect(compareTrajectory(from('abc'), from('def'))).toEqual([
    { kind: 'trajectory', key: 'start_model', saved: 'abc', now: 'def' },
  ])
})

test('other conditions are refused, and accepted on request', () => {
  const now = { ...state, conditions: { ...state.conditions, threads: 4 } }
  expect(thrown(() => requireSameTrajectory(state, now, false, 'runs/r 1/checkpoint-12')).hint).toContain(
    '--allow-inexact',
  )
  expect(requireSameTrajectory(state, now, true, 'runs/r 1/checkpoint-12')).toEqual([
    { kind: 'conditions', key: 'threads', saved: 2, now: 4 },
  ])
})
