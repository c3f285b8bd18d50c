/** Small data files for the tests of the readers. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Row = Record<string, unknown>

/** Writes a file into a fresh folder and returns its path. */
export function dataFile(content: string | Buffer, name = 'rows.jsonl'): string {
  const file = join(mkdtempSync(join(tmpdir(), 'clha-data-')), name)
  writeFileSync(file, content)
  return file
}

export const jsonl = (rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

/** A readable pair; `n` makes it differ from the others. */
export const pair = (n: number): Row => ({
  prompt: `question ${n}`,
  chosen: ` good ${n}`,
  rejected: ` bad ${n}`,
})

export const pairs = (count: number) => Array.from({ length: count }, (_, i) => pair(i + 1))

/** An HH transcript of alternating turns, the human first. */
export const transcript = (...turns: string[]) =>
  turns.map((turn, i) => `\n\n${i % 2 === 0 ? 'Human' : 'Assistant'}: ${turn}`).join('')
