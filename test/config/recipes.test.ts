/** The recipes: each loads as a config of its command, and says what it needs. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/commands/index.js'
import { loadConfig } from '../../src/config/load-config.js'

const folder = new URL('../../recipes/', import.meta.url)
const recipes = readdirSync(folder).filter((name) => name.endsWith('.yaml'))
const textOf = (name: string) => readFileSync(new URL(name, folder), 'utf8')

test('there are some, and the table of recipes/README.md lists each', () => {
  expect(recipes.length).toBeGreaterThanOrEqual(8)
  const table = textOf('README.md')
  for (const name of recipes) expect(table).toContain(`| [\`${name}\`](${name}) |`)
})

test.each(recipes)(
  '%s has no config error, names its command, base model, reward model, memory and time',
  async (name) => {
    const text = textOf(name)
    const head = text.slice(0, text.search(/^[^#]/m))
    const command = /^# +\.\/clha (\w+) recipes\/(\S+)/m.exec(head.replaceAll(/^.*augment.*$/gm, ''))
    expect(command?.[2]).toBe(name)
    expect(COMMANDS.map(({ path }) => path[0])).toContain(command?.[1])
    for (const key of ['base model', 'reward model', 'memory', 'time'])
      expect(head).toMatch(new RegExp(`^# ${key}: +\\S`, 'm'))
    const path = new URL(name, folder).pathname
    const { values } = await loadConfig(
      path,
      /--train-dataset/.test(head) ? { train_dataset: 'hh-rlhf' } : {},
    )
    expect(values.output_dir).toBe(`runs/${name.replace('.yaml', '')}`)
  },
)
