/** The rows that docs/data.md shows are in the formats that it names. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { FORMAT_NAMES, formatOf } from '../../src/data/formats/registry.js'

const page = readFileSync(new URL('../../docs/data.md', import.meta.url), 'utf8')
const shown = [...page.matchAll(/^\| `(\w+)` \| .* \| `(\{.*\})` \|$/gm)].map(([, name, row]) => ({
  name,
  row: JSON.parse(row.replaceAll('\\|', '|')),
}))

describe('docs/data.md', () => {
  test('has a row for every format, in the order in which they are tried', () => {
    const names = shown.map(({ name }) => name)
    expect(names).toEqual([...FORMAT_NAMES, 'prompt', 'open_messages'])
  })

  test.each(shown)('$name: its example is in this format', ({ name, row }) => {
    const promptsOnly = !FORMAT_NAMES.includes(name)
    const format = formatOf(row, undefined, promptsOnly)
    expect(format.name).toBe(name)
    expect(() => format.toExample(row, { splitter: 'full' })).not.toThrow()
  })
})
