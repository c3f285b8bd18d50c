/** A process of its own that saves checkpoints, compiled from the sources; to be killed or starved by tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { tracked } from './children.js'
import { compileSources } from './sources.js'

const PROGRAM = `
import { textFile } from './dist/checkpoint/format/save-file.js'
import { saveCheckpoint } from './dist/checkpoint/policy/save.js'
import { newestValid } from './dist/checkpoint/policy/resume.js'
import { applyRetention } from './dist/checkpoint/policy/retention.js'
import { DiskStorage } from './dist/files/storage.js'
import { sweepLeftovers } from './dist/checkpoint/policy/sweep.js'

const [runDir, mode, bytes] = [process.argv[2], process.argv[3], Number(process.argv[4])]
const storage = new DiskStorage()
if (mode === 'unchecked') storage.freeBytes = () => 1e15
const say = (word, value) => process.stdout.write(word + ' ' + value + '\\n')
const block = (step) => Buffer.alloc(bytes / 3, step)
const files = (step) => ['a', 'b', 'c'].map((name) => ({ path: name, bytes: bytes / 3, chunks: () => [block(step)] }))
try {
  sweepLeftovers(storage, runDir)
  let step = newestValid(storage, runDir)?.step ?? 0
  do {
    step++
    saveCheckpoint(storage, runDir, step, [...files(step), textFile('state.json', String(step))], { configSha256: 'c' })
    say('saved', step)
    applyRetention(storage, runDir, { keepLast: 2 })
    await new Promise(setImmediate)
  } while (mode === 'loop')
} catch (error) {
  say('exit', (error.exitCode ?? 1) + ' ' + error.message)
}
`

let folder: string | undefined
afterAll(() => folder && fs.rmSync(folder, { recursive: true, force: true }))

/** Compiles the sources, once for all tests of a file, and writes the program; returns its path. */
export function compileSaver(): string {
  const program = (where: string) => join(where, 'program.mjs')
  if (folder === undefined) {
    folder = fs.mkdtempSync(join(tmpdir(), 'clha-saver-'))
    compileSources(folder)
    fs.writeFileSync(program(folder), PROGRAM)
  }
  return program(folder)
}

export interface Saver {
  child: ChildProcess
  /** Lines printed so far. */
  lines: string[]
  /** Resolves at the first line. */
  firstLine: Promise<void>
  ended: Promise<void>
}

export function start(command: string, args: string[]): Saver {
  const child = tracked(spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] }))
  const lines: string[] = []
  let text = ''
  let said = () => {}
  const firstLine = new Promise<void>((resolve) => {
    said = resolve
  })
  child.stdout?.on('data', (data: Buffer) => {
    text += data.toString()
    const whole = text.split('\n')
    text = whole.pop() ?? ''
    lines.push(...whole)
    if (lines.length > 0) said()
  })
  const ended = new Promise<void>((resolve) => {
    child.on('close', () => {
      said()
      resolve()
    })
  })
  return { child, lines, firstLine, ended }
}
