// docs/errors.md speaks of messages that the program has.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/errors.md', root), 'utf8')

/** All sources, with white space and string templates' places made alike. */
const said = ['src/', 'native/']
  .flatMap((room) =>
    readdirSync(new URL(room, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|cc|h)$/.test(file))
      .map((file) => readFileSync(new URL(file, new URL(room, root)), 'utf8')),
  )
  .join('\n')

/** What stands between the places that are filled in: `…`, quotes, numbers' names, and what joins two parts. */
const partsOf = (message: string) =>
  message
    .split(/…|"|: |<\w+>|[();]|\b[nmk]\b|\d+/)
    .map((part) => part.trim().replace(/^[,.:]+|[,.:]+$/g, ''))
    .filter((part) => part.length > 3)

/** The column that is headed "Message", of every table. */
function messages(): string[] {
  const found: string[] = []
  let column = -1
  for (const line of page.split('\n')) {
    const cells = line.split(/(?<!\\)\|/).map((cell) => cell.trim())
    if (!line.startsWith('|')) column = -1
    else if (cells.includes('Message')) column = cells.indexOf('Message')
    else if (column > 0) found.push(...[...cells[column].matchAll(/`([^`]+)`/g)].map(([, text]) => text))
  }
  return found
}

test('every message of docs/errors.md stands in the sources', () => {
  expect(messages().length).toBeGreaterThan(70)
  expect(messages().filter((message) => !partsOf(message).every((part) => said.includes(part)))).toEqual([])
})
