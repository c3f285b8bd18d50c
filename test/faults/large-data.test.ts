/** Reading more data than memory should hold. CLHA_LARGE_DATA_MB sets the size of the file (default 2048). */
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const MIB = 1024 * 1024
const SIZE = Number(process.env.CLHA_LARGE_DATA_MB ?? 2048) * MIB

const READER = `
import { newCounts, streamExamples } from ${JSON.stringify(pathToFileURL(join(process.cwd(), 'dist/data/read/stream-examples.js')).href)}
const counts = newCounts()
for await (const item of streamExamples(process.argv[2], {}, counts)) void item
console.log(JSON.stringify({ kept: counts.kept, rows: counts.rows, duplicates: counts.duplicatePrompts, peak: process.resourceUsage().maxRSS * 1024 }))
`

/** Rows of about 1.5 KB, none like another, as lines or as the elements of an array. */
function writeLarge(file: string, isArray: boolean): number {
  const out = openSync(file, 'w')
  const filler = 'All of this is text of some length. '.repeat(20)
  let bytes = 0
  let rows = 0
  while (bytes < SIZE) {
    const block: string[] = []
    for (let i = 0; i < 1000; i++, rows++) {
      const answer = (name: string) => ` ${name} ${rows} ${filler}`
      const row = { prompt: `Question ${rows}:`, chosen: answer('good'), rejected: answer('bad') }
      block.push((isArray ? (rows === 0 ? '[' : ',') : '') + JSON.stringify(row))
    }
    bytes += writeSync(out, `${block.join('\n')}\n`)
  }
  if (isArray) writeSync(out, ']')
  closeSync(out)
  return rows
}

test.each([
  ['JSON lines', 'large.jsonl'],
  ['one JSON array', 'large.json'],
])(`${SIZE / MIB} MiB of %s are streamed in under 300 MiB`, { timeout: 3_600_000 }, (_, name) => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-large-'))
  try {
    const file = join(folder, name)
    const rows = writeLarge(file, name.endsWith('.json'))
    const script = join(folder, 'read.mjs')
    writeFileSync(script, READER)
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(status).toBe(0)
    const found = JSON.parse(stdout)
    console.log(`${name}: ${(found.peak / MIB).toFixed(0)} MiB at ${rows} rows`)
    expect(found).toMatchObject({ kept: rows, rows, duplicates: 0 })
    expect(found.peak).toBeLessThan(300 * MIB)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

const BOMB = '../shared/cases/hostile-files/zbomb.jsonl.zst'
test.runIf(existsSync(BOMB))(
  'a zstd line of 1.5 GB in 46 kB is passed over, not held',
  { timeout: 600_000 },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'clha-bomb-'))
    try {
      const script = join(folder, 'read.mjs')
      writeFileSync(
        script,
        `process.on('exit', () => console.log(process.resourceUsage().maxRSS * 1024))\n${READER}`,
      )
      const { stdout, stderr } = spawnSync(process.execPath, [script, BOMB], { encoding: 'utf8' })
      expect(stderr).toContain('the row is longer than 16 MiB')
      expect(Number(stdout)).toBeLessThan(300 * MIB)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)
