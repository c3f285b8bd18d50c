/** What is left out of several data sets of one run stands in one list. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Session } from '../../src/session/session.js'
import { loadData } from '../../src/stations/read/load-data.js'
import { dataFile, jsonl, pairs } from '../data/files.js'
import { temporaryFolder } from '../helpers/folders.js'

const sessionIn = (outputDir: string) =>
  ({
    options: {
      method: 'clha',
      outputDir,
      skipBad: true,
      maxDropped: 0.5,
      datasetFormat: 'auto',
      splitter: 'full',
    },
    config: {},
    ui: { warn: () => {}, line: () => {} },
  }) as unknown as Session

const listed = (folder: string) =>
  readFileSync(join(folder, 'skipped.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { dataset: string; row: number; code: string })

test('the second data set is appended to the first, and a new run begins anew', async () => {
  const folder = temporaryFolder()
  const train = dataFile(`${jsonl(pairs(3))}x\n`)
  const test = dataFile(jsonl([...pairs(3), { prompt: 'q', chosen: 'a', rejected: 'a' }]))
  for (let run = 0; run < 2; run++) {
    const session = sessionIn(folder)
    await loadData(session, train, 2)
    await loadData(session, [test], 2)
    expect(listed(folder)).toMatchObject([
      { dataset: train, row: 4, code: 'bad_json' },
      { dataset: test, row: 4, code: 'identical_answers' },
    ])
  }
})
