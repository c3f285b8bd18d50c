// Pages that are written by a script say what the code says.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configPage } from '../../scripts/docs-config.mjs'
import { COMMANDS } from '../../src/commands/index.js'
import { LEGACY_DEFAULTS } from '../../src/config/defaults.js'
import { expectation } from '../../src/config/describe.js'
import { CONFIG_KEYS, configSchema, SECTION_TITLES, SECTIONS } from '../../src/config/schema.js'
import { METHODS } from '../../src/methods/registry.js'

const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')

test('docs/configuration.md is what scripts/docs-config.mjs makes of the schema', () => {
  const parts = {
    SECTIONS,
    SECTION_TITLES,
    configSchema,
    expectation,
    LEGACY_DEFAULTS,
    COMMANDS,
    METHODS,
  }
  expect(page).toBe(configPage(parts))
})

test('docs/configuration.md has a row for every key', () => {
  expect(CONFIG_KEYS.filter((key) => !page.includes(`\n| \`${key}\` |`))).toEqual([])
})
