// The figures of the house: each is counted right, keeps its limit, and a broken one is found.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { folderSizes, houseReport, layoutReport, nameCounts, tableOf } from '../../scripts/house.mjs'
import { signaturesWith } from '../../scripts/signatures.mjs'

test('every figure of the house keeps its limit', async () => {
  const { figures, problems } = await houseReport()
  expect(problems).toEqual([])
  const names = figures.map(({ name }: { name: string }) => name)
  for (const name of ['signatures with the whole Session', 'files of a folder', 'files of one name'])
    expect(names).toContain(name)
  for (const name of ['files that chat loads', 'depth of imports', 'circles of imports'])
    expect(names).toContain(name)
})

test('a signature counts when it takes the type whole, by an alias or in a list too; parts do not', () => {
  const text = [
    "type Asked = Session<'model'>",
    'export function plain(session: Session) {}',
    'const alias = ({ ui }: Asked, n: number) => n',
    'interface Held { work(all: readonly Session[]): void }',
    "const part = ({ ui }: Pick<Session, 'ui'>) => ui",
    "function option(o: Session['options']) {}",
    'const untyped = (session) => session',
    'const later = (work: (session: Session) => void) => work',
  ].join('\n')
  expect(signaturesWith('a.ts', 'Session', text)).toEqual([
    { name: 'plain', line: 2 },
    { name: 'alias', line: 3 },
    { name: 'work', line: 4 },
    // The function that `later` takes.
    { name: 'work', line: 8 },
  ])
})

test('folders and names are counted; losses, index and types are not', () => {
  const files = [
    'src/a/x.ts',
    'src/a/index.ts',
    'src/a/b/x.ts',
    'src/a/b/index.ts',
    'src/losses/x.ts',
    'src/losses/types.ts',
    'src/losses/y.ts',
  ]
  expect(folderSizes(files)).toEqual([
    ['src/a', 2],
    ['src/a/b', 2],
  ])
  expect(nameCounts(files)).toEqual([
    ['x.ts', 3],
    ['y.ts', 1],
  ])
})

test('a folder of 21 files, a third file of a name and a 41st signature are found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-house-'))
  const write = (path: string, text = '') => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  try {
    for (let i = 0; i < 20; i++) write(`src/full/file-${i}.ts`)
    for (const room of ['one', 'two']) write(`src/${room}/same.ts`)
    const take = (n: number) =>
      Array.from({ length: n }, (_, i) => `const f${i} = (s: Session) => s`).join('\n')
    write('src/one/takes.ts', take(40))
    expect(layoutReport(folder).problems).toEqual([])
    write('src/full/file-20.ts')
    write('src/three/same.ts')
    write('src/one/takes.ts', take(41))
    expect(layoutReport(folder).problems).toEqual([
      'src/full: 21 files in the folder, more than 20',
      'same.ts: 3 files have this name, more than 2',
      '41 signatures take the whole Session, more than 40',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the table has a line for each figure, with its value, its limit and where', () => {
  expect(
    tableOf([
      { name: 'depth', value: 12, limit: 14, where: '' },
      { name: 'files of a folder', value: 3, limit: 20, where: 'src/a' },
    ]),
  ).toEqual([
    '                      today   limit',
    'depth                    12      14',
    'files of a folder         3      20   src/a',
  ])
})
