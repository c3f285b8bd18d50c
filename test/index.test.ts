/** The public names: what the documentation shows runs, and importing it starts nothing. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'
import { describe, expect, test, vi } from 'vitest'
import * as clha from '../src/index.js'
import { temporaryFolder } from './helpers/folders.js'

const MARK = '// example: library'
const ROOT = resolve(import.meta.dirname, '..')

/** The one TypeScript block of a document that carries the mark. */
function exampleIn(file: string): string | undefined {
  if (!existsSync(join(ROOT, file))) return undefined
  const blocks = [...readFileSync(join(ROOT, file), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)]
  return blocks.map(([, code]) => code).find((code) => code.includes(MARK))
}

/** Runs a block against the sources and returns what it prints. */
async function run(code: string): Promise<string[]> {
  const path = join(temporaryFolder(), 'example.mjs')
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  // The block sees the library that this test sees.
  Object.assign(globalThis, { clhaUnderTest: clha })
  const names = /import \{([^}]*)\} from 'clha'/.exec(outputText)
  writeFileSync(path, outputText.replace(names![0], `const {${names![1]}} = globalThis.clhaUnderTest`))
  const printed: string[] = []
  const log = vi.spyOn(console, 'log').mockImplementation((...parts) => void printed.push(parts.join(' ')))
  try {
    await import(/* @vite-ignore */ pathToFileURL(path).href)
  } finally {
    log.mockRestore()
  }
  return printed
}

// By hand: e = 1/4, T = 1. Label odds 3 to 1. Pair 1: gap 2, q = 3e^2 / (3e^2 + 1). Pair 2 is turned round: gap 5.5,
// q = e^5.5 / (e^5.5 + 3). Weights 2q - 1; margins' hinges are 1 + 1/3 and 1 + 2; SFT: (6 + 9) / 6 tokens.
const q1 = (3 * Math.exp(2)) / (3 * Math.exp(2) + 1)
const q2 = Math.exp(5.5) / (Math.exp(5.5) + 3)
const [w1, w2] = [2 * q1 - 1, 2 * q2 - 1]
const loss = (w1 * (4 / 3) + w2 * 3) / (w1 + w2) + 15 / 6
const [g1, g2] = [w1 / (w1 + w2) / 3, w2 / (w1 + w2) / 3]

const EXPECTED = [
  'pair 1: 4. is best, label kept',
  'pair 2: Meow. is best, label reversed',
  `loss ${loss.toFixed(4)}`,
  `gradient ${[-g1 - 1 / 6, g1, g2, -g2 - 1 / 6].map((g) => g.toFixed(4)).join(' ')}`,
]

test('the example of docs/library.md prints what arithmetic by hand gives', async () => {
  expect(await run(exampleIn('docs/library.md')!)).toEqual(EXPECTED)
})

const readme = exampleIn('README.md')
test.skipIf(readme === undefined)('the example of the README prints the same', async () => {
  expect(await run(readme!)).toEqual(EXPECTED)
})

test('every name that docs/library.md lists is there', () => {
  const rows = readFileSync(join(ROOT, 'docs/library.md'), 'utf8').match(/^\| [A-Z][a-z ]+ \| `.*$/gm) ?? []
  const names = rows.flatMap((row) => [...row.matchAll(/`(\w+)`/g)].map(([, name]) => name))
  expect(names.length).toBeGreaterThan(40)
  for (const name of names) expect(clha, name).toHaveProperty(name)
})

describe('commands as functions', () => {
  test('say what is missing as the command does', async () => {
    await expect(clha.align({})).rejects.toMatchObject({
      exitCode: clha.EXIT.usage,
      message: expect.stringContaining('train_dataset is missing'),
    })
  })

  test('refuse an unknown setting with the nearest one', async () => {
    const wrong = { trainDatset: 'x.jsonl' } as clha.Settings
    await expect(clha.rescore(wrong)).rejects.toThrow('Did you mean "train_dataset"?')
  })

  test('rescore rewards of the data, in silence, and give back what was found', async () => {
    const folder = temporaryFolder()
    const data = join(folder, 'prefs.jsonl')
    const row = (i: number) => ({
      prompt: `question ${i}`,
      chosen: 'good',
      rejected: 'bad',
      score_chosen: 2,
      score_rejected: -2,
    })
    writeFileSync(data, Array.from({ length: 3 }, (_, i) => `${JSON.stringify(row(i))}\n`).join(''))
    const spoken = vi.spyOn(process.stdout, 'write')
    const result = await clha.rescore({
      trainDataset: data,
      outputDir: join(folder, 'out'),
      labelError: 0.25,
      rewardTemperature: 1,
      threads: 1,
    })
    expect(spoken).not.toHaveBeenCalled()
    spoken.mockRestore()
    expect(result.pairs).toEqual({ kept: 3, doubtful: 0, reversed: 0 })
    expect(existsSync(join(folder, 'out', 'rescored.jsonl'))).toBe(true)
  })
})

test.skipIf(!existsSync(join(ROOT, 'dist/index.js')))(
  "the built package is imported as 'clha', and importing it loads no engine",
  () => {
    const folder = temporaryFolder()
    mkdirSync(join(folder, 'node_modules'))
    symlinkSync(ROOT, join(folder, 'node_modules', 'clha'))
    const script = `
      const loaded = []
      const open = process.dlopen
      process.dlopen = (module, path, ...rest) => { loaded.push(path); return open(module, path, ...rest) }
      const { clhaLoss, EXIT } = await import('clha')
      console.log(typeof clhaLoss, EXIT.usage, loaded.filter((path) => path.endsWith('clha.node')).length)`
    writeFileSync(join(folder, 'main.mjs'), script)
    const out = execFileSync(process.execPath, ['main.mjs'], { cwd: folder, encoding: 'utf8' })
    expect(out.trim()).toBe('function 2 0')
  },
)
