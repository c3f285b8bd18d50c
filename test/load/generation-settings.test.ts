import { expect, test } from 'vitest'
import { unusedSettings } from '../../src/load/generation-settings.js'

const greedy = { temperature: 0, topP: 1, topK: 0 }
const qwen = {
  do_sample: true,
  temperature: 0.7,
  top_p: 0.8,
  top_k: 20,
  repetition_penalty: 1.05,
  eos_token_id: [1, 2],
}

test('what a model asks for and a command does not do is named', () => {
  expect(unusedSettings(qwen, greedy)).toEqual([
    'temperature 0.7',
    'top_p 0.8',
    'top_k 20',
    'repetition_penalty 1.05',
  ])
})

test('what the command does all the same is not', () => {
  expect(unusedSettings(qwen, { temperature: 0.7, topP: 0.8, topK: 20 })).toEqual(['repetition_penalty 1.05'])
})

test('settings that change nothing, and those of sampling where nothing is sampled, are not', () => {
  expect(
    unusedSettings({ do_sample: true, temperature: 1, top_p: 1, repetition_penalty: 1 }, greedy),
  ).toEqual([])
  expect(unusedSettings({ temperature: 0.6, top_p: 0.9 }, greedy)).toEqual([])
})
