/** A process of its own that saves checkpoints, compiled from the sources; to be killed or starved by tests. */
import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { tracked } from './children.js'
import { temporaryFolder } from './folders.js'

const SOURCE = new URL('../../src/', import.meta.url).pathname

const PROGRAM = `
import { textFile } from './checkpoint/format/save-file.js'
import { saveCheckpoint } from './checkpoint/policy/save.js'
import { newestValid } from './checkpoint/policy/resume.js'
import { applyRetention } from './checkpoint/policy/retention.js'
import { DiskStorage } from './files/storage.js'
import { sweepLeftovers } from './checkpoint/policy/sweep.js'

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

/** Compiles what the program needs; returns the program's path. */
export function compileSaver(): string {
  const folder = temporaryFolder()
  const names = ['errors.ts', 'exit-codes.ts', 'random.ts']
  for (const room of ['checkpoint', 'files']) {
    const files = fs.readdirSync(join(SOURCE, room), { recursive: true, encoding: 'utf8' })
    names.push(...files.filter((name) => name.endsWith('.ts')).map((name) => join(room, name)))
  }
  for (const part of ['checkpoint/format', 'checkpoint/policy', 'files'])
    fs.mkdirSync(join(folder, part), { recursive: true })
  for (const name of names) {
    const { outputText } = ts.transpileModule(fs.readFileSync(join(SOURCE, name), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    })
    fs.writeFileSync(join(folder, name.replace(/\.ts$/, '.js')), outputText)
  }
  fs.writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  fs.writeFileSync(join(folder, 'program.js'), PROGRAM)
  return join(folder, 'program.js')
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
