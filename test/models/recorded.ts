/** The names of the recorded models, by what they are. */
import { readdirSync } from 'node:fs'
import { native } from '../../src/tensor/index.js'
import { fixture } from '../fixtures.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

const folders = readdirSync(fixture('models'), { withFileTypes: true })
  .filter(
    (entry) => entry.isDirectory() && readdirSync(fixture(`models/${entry.name}`)).includes('config.json'),
  )
  .map(({ name }) => name)
  .filter((name) => !name.includes('deberta'))

export const languageModels = folders.filter((name) => !name.startsWith('rm_'))
export const rewardModels = folders.filter((name) => name.startsWith('rm_'))

/** One model of each architecture is enough where the weights do not matter. */
export const oneOfEach = languageModels.filter((name) => !/^llama_(bf16|fp16|sharded|tied|gqa)$/.test(name))

/** An adapter on every linear map, with dropout. */
export const LORA = {
  r: 4,
  alpha: 8,
  dropout: 0.3,
  targetModules: 'all-linear',
  useRslora: false,
  modulesToSave: [],
} as const
