/** What is said and given back when a signal stopped the work. */
import { expect, test } from 'vitest'
import { required } from '../../src/session/needs.js'
import { Stopped, sayingStop } from '../../src/session/stopped.js'
import { stoppedError } from '../../src/stations/answer/answer.js'

function listener() {
  const said: string[] = []
  return { said, ui: { line: (text: string) => said.push(text) } as never }
}

const stop = () => Promise.reject(new Stopped())

test('work that was stopped says what is kept, and gives the result of a stop', async () => {
  const { said, ui } = listener()
  expect(await sayingStop(ui, 'cells are kept', stop, () => 'stopped')).toBe('stopped')
  expect(said).toEqual(['stopped; cells are kept'])
})

test('without such a result the stop goes on to whoever runs the command', async () => {
  const { said, ui } = listener()
  await expect(sayingStop(ui, 'cells are kept', stop)).rejects.toThrow(Stopped)
  expect(said).toEqual(['stopped; cells are kept'])
})

test('an error is no stop, and says nothing of what is kept', async () => {
  const { said, ui } = listener()
  const fail = () => Promise.reject(new Error('disk'))
  await expect(sayingStop(ui, 'cells are kept', fail, () => 0)).rejects.toThrow('disk')
  expect(await sayingStop(ui, 'cells are kept', async () => 7)).toBe(7)
  expect(said).toEqual([])
})

test('an option that has to be set is named as in a config where it is not', () => {
  expect(required({ trainDataset: ['a'] }, 'trainDataset')).toEqual(['a'])
  expect(() => required({ trainDataset: undefined }, 'trainDataset')).toThrow('train_dataset is missing')
})

test('a stop amid the answers of an evaluation is a stop as any other', async () => {
  const { said, ui } = listener()
  const amid = () => Promise.reject(stoppedError(3, 20))
  expect(await sayingStop(ui, 'cells are kept', amid, () => 'stopped')).toBe('stopped')
  expect(said).toEqual(['stopped; cells are kept'])
})
