/** What the methods declare is complete, and agrees with the keys of the config and with the pages. */
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load-config.js'
import { CONFIG_KEYS } from '../../src/config/schema.js'
import type { MethodName, MethodOptions } from '../../src/methods/registry.js'
import {
  lossesOf,
  METHOD_NAMES,
  METHODS,
  markerOf,
  objectiveOf,
  variantName,
} from '../../src/methods/registry.js'

const page = readFileSync(new URL('../../docs/methods.md', import.meta.url), 'utf8')
const options = (method: string, loss?: string) =>
  parseConfig('my.yaml', `method: ${method}${loss ? `\nloss_type: ${loss}` : ''}`).options as MethodOptions

const variants = METHOD_NAMES.flatMap((name): [MethodName, string | undefined][] =>
  METHODS[name].losses ? lossesOf(name).map((loss) => [name, loss]) : [[name, undefined]],
)

test.each(variants)('%s %s: its objective loads', async (name, loss) => {
  const { name: own, loss: compute } = await objectiveOf(options(name, loss), 2)
  expect(compute).toBeTypeOf('function')
  expect(own).toBe(name === 'bon' ? 'sft' : name)
})

test.each(METHOD_NAMES)('%s names only keys that there are, and takes lists in one way', (name) => {
  const { keys, only = [], idle = [], defaults = {}, losses = {}, items, sequences } = METHODS[name]
  const named = [
    ...[...keys, ...only, ...idle.flatMap((rule) => rule.keys), ...Object.keys(defaults)],
    ...Object.values(losses).flatMap((loss) => [...(loss.keys ?? []), ...Object.keys(loss.defaults ?? {})]),
  ]
  expect(named.filter((key) => !(CONFIG_KEYS as string[]).includes(key))).toEqual([])
  expect([items, sequences].filter((way) => way !== undefined)).toHaveLength(1)
})

describe('docs/methods.md', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| '))

  test.each(METHOD_NAMES)('%s stands in the table, with its reference', (name) => {
    const row = rows.find((line) => line.split('|')[1].includes(`[\`${name}\`](`))
    expect(row).toBeDefined()
    expect(row?.split('|')[4].trim()).toBe(METHODS[name].reference ? 'yes' : 'no')
  })

  test('has a row for every loss_type of dpo, and no other', () => {
    const [, section] = page.split('\n## dpo\n')
    const table = section.split('\n## ')[0].split('\n')
    const named = table
      .flatMap((line) => /^\| `(\w+)` \|/.exec(line)?.[1] ?? [])
      .filter((n) => n !== 'loss_type')
    expect(named.toSorted()).toEqual(lossesOf('dpo').toSorted())
  })
})

test('what a learning rate is tuned for: the method, and its loss or mode where it has several', () => {
  expect(variantName({ method: 'clha' })).toBe('clha')
  expect(variantName({ method: 'clha', mode: 'legacy' })).toBe('clha/legacy')
  expect(variantName({ method: 'dpo', loss_type: 'ipo' })).toBe('dpo/ipo')
  expect(variantName({ method: 'simpo' })).toBe('simpo')
})

test('a marker is taken from options and from the record of a run, and of nothing else', () => {
  expect(markerOf(options('coh'))).toBe(' A helpful answer:')
  expect(markerOf(options('sft'))).toBeUndefined()
  expect(markerOf({ method: 'coh', cohPositive: ' Good:' })).toBe(' Good:')
  expect(markerOf({ method: 'coh' })).toBeUndefined()
  expect(markerOf({ method: 'constructor' })).toBeUndefined()
})

/** Files of src/ that a file loads before it runs: imports of values, not those that are awaited later. */
function loaded(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = readFileSync(file, 'utf8')
  for (const [statement, path] of text.matchAll(
    /^(?:import|export)\b(?:(?!\n(?:import|export)\b)[^'])*'(\.[^']+)'/gm,
  )) {
    const types = /^(?:import|export) type\b/.test(statement)
    if (!types) loaded(join(dirname(file), path.replace(/\.js$/, '.ts')), seen)
  }
  return seen
}

test('to read a config loads no loss, no trainer and no engine', () => {
  const src = new URL('../../src/', import.meta.url).pathname
  const rooms = (file: string) =>
    [...loaded(join(src, file))].map((path) => relative(src, path).split('/')[0])
  expect(rooms('config/load-config.ts')).toEqual(expect.arrayContaining(['methods', 'config', 'data']))
  const heavy = ['losses', 'train', 'models', 'nn', 'tensor']
  expect(rooms('config/load-config.ts').filter((room) => heavy.includes(room))).toEqual([])
  // The search does find them where they are.
  expect(rooms('train/objectives/objective.ts')).toEqual(
    expect.arrayContaining(['losses', 'models', 'tensor']),
  )
})
