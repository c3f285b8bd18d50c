// Pages that are written by a script say what the code says.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { configPage, sectionKeys } from '../../scripts/docs-config.mjs'
import { COMMANDS } from '../../src/commands/index.js'
import { LEGACY_DEFAULTS } from '../../src/config/defaults.js'
import { expectation } from '../../src/config/describe.js'
import { CONFIG_KEYS, configSchema, SECTIONS } from '../../src/config/schema.js'
import { SECTION_TITLES } from '../../src/config/sections.js'
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

test('src/config/section-keys.generated.ts has the keys of the schema', () => {
  const file = new URL('../../src/config/section-keys.generated.ts', import.meta.url)
  expect(readFileSync(file, 'utf8')).toBe(sectionKeys({ SECTIONS }))
})

test('docs/configuration.md has a row for every key', () => {
  expect(CONFIG_KEYS.filter((key) => !page.includes(`\n| \`${key}\` |`))).toEqual([])
})
