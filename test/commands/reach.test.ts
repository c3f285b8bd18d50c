/** What a command loads: its list is light, and so is a command that does little. */
import { expect, test } from 'vitest'
import { reachOf, readGraph } from '../../scripts/reach.mjs'

const graph = readGraph()

/** Files below src/ that are loaded at once with a file. */
const loadedWith = (file: string): string[] =>
  [...(reachOf(graph, `src/${file}`) as Set<string>)].map((path) => path.replace(/^src\//, ''))

const inRooms = (files: readonly string[], rooms: readonly string[]): string[] =>
  files.filter((file) => rooms.includes(file.split('/')[0]))

test('the list of commands loads no engine, no model and no station', () => {
  const files = loadedWith('commands/index.ts')
  expect(files.length).toBeGreaterThan(30)
  const heavy = ['tensor', 'nn', 'models', 'train', 'stations', 'load', 'session', 'report']
  expect(inRooms(files, heavy)).toEqual([])
})

test('a talk loads no trainer, no loss and no report', () => {
  const files = loadedWith('commands/chat/chat.ts')
  expect(files.length).toBeGreaterThan(50)
  expect(files.length).toBeLessThanOrEqual(130)
  expect(inRooms(files, ['train', 'losses', 'optim', 'report', 'evaluate', 'rescore'])).toEqual([])
})

test('the library loads nothing of the command line', () => {
  expect(inRooms(loadedWith('index.ts'), ['cli'])).toEqual([])
})
