/** `clha data inspect` on more data than memory should hold. CLHA_LARGE_DATA_MB sets the size (default 2048). */
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const MIB = 1024 * 1024
const SIZE = Number(process.env.CLHA_LARGE_DATA_MB ?? 2048) * MIB

const CALL = `
import { main } from ${JSON.stringify(pathToFileURL(join(process.cwd(), 'dist/cli/main.js')).href)}
const code = await main(['data', 'inspect', process.argv[2], '--json'])
console.error('peak ' + process.resourceUsage().maxRSS * 1024)
process.exitCode = code
`

/** Rows of about 1.5 KB, none like another; every hundredth can't be read. */
function writeLarge(file: string): number {
  const out = openSync(file, 'w')
  const filler = 'All of this is text of some length. '.repeat(20)
  let [bytes, rows] = [0, 0]
  while (bytes < SIZE) {
    const block = Array.from({ length: 1000 }, () => {
      const answer = (name: string) => ` ${name} ${rows} ${filler.slice(rows % 500)}`
      const row = { prompt: `Question ${rows}:`, chosen: answer('good'), rejected: answer('bad') }
      return ++rows % 100 === 0 ? '{' : JSON.stringify(row)
    })
    bytes += writeSync(out, `${block.join('\n')}\n`)
  }
  closeSync(out)
  return rows
}

test(`${SIZE / MIB} MiB of JSON lines are inspected in under 300 MB`, { timeout: 3_600_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-inspect-'))
  try {
    const file = join(folder, 'large.jsonl')
    const rows = writeLarge(file)
    const script = join(folder, 'inspect.mjs')
    writeFileSync(script, CALL)
    const { stdout, stderr, status } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
    expect(status).toBe(0)
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    const { result } = lines.at(-1)
    expect(result).toMatchObject({ rows, kept: rows * 0.99, distinct_prompts: rows * 0.99 })
    expect(result.skipped.bad_json.count).toBe(rows / 100)
    const peak = Number(/peak (\d+)/.exec(stderr)?.[1])
    console.log(`${(peak / 1e6).toFixed(0)} MB at ${rows} rows`)
    expect(peak).toBeLessThan(300e6)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
