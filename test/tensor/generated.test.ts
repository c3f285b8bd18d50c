import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generateOps } from '../../scripts/generate-ops.mjs'
import { ops } from '../../src/tensor/index.js'

const text = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('ops.generated.ts is what the generator makes of ops.json and this libtorch', () => {
  expect(text('src/tensor/ops.generated.ts')).toBe(generateOps())
})

test('each operator of the list is there, and no other', () => {
  expect(Object.keys(ops).sort()).toEqual(Object.keys(JSON.parse(text('native/ops.json'))).sort())
})
