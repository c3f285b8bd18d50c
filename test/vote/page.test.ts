import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { pageFiles } from '../../src/vote/page-files.js'

const SCRIPT = fileURLToPath(new URL('../../src/vote/page/vote.js', import.meta.url))

test('the script of the page has the types that its comments say', () => {
  const program = ts.createProgram([SCRIPT], {
    allowJs: true,
    checkJs: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    skipDefaultLibCheck: true,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: [],
  })
  const problems = ts.getPreEmitDiagnostics(program).map(({ messageText, file, start }) => {
    const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
  expect(problems).toEqual([])
})

test('every element that the script looks for is in the page', () => {
  const html = pageFiles()['/'].text
  const script = readFileSync(SCRIPT, 'utf8')
  const ids = [...script.matchAll(/at\('([\w-]+)'\)/g)].map(([, id]) => id)
  expect(ids.length).toBeGreaterThan(10)
  for (const id of new Set(ids)) expect(html).toContain(`id="${id}"`)
})
