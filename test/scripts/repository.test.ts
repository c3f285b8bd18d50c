// The repository's own promises: sizes, layers, a portable lock file, nothing private in any file.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { missingEntries, platformOf } from '../../scripts/complete-lock.mjs'
import { checkLayers } from '../../scripts/layers.mjs'
import { largeFunctions, quantile, sizeReport } from '../../scripts/size.mjs'
import { METHOD_NAMES } from '../../src/methods/registry.js'

const root = new URL('../..', import.meta.url).pathname
const scratch = mkdtempSync(join(tmpdir(), 'clha-layers-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test('source files keep the size limits', () => {
  expect(sizeReport().problems).toEqual([])
  expect(quantile([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.9)).toBe(9)
  expect(quantile([3, 1, 2], 0.5)).toBe(2)
})

test('a function of 61 lines and one of six parameters are found, nested ones too; 60 and five are not', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clha-functions-'))
  const body = (lines: number) => `{\n${'  void 0\n'.repeat(lines - 2)}}`
  mkdirSync(join(folder, 'src'))
  writeFileSync(
    join(folder, 'src/a.ts'),
    [
      `export function long() ${body(61)}`,
      `export const fits = () => ${body(60)}`,
      'export const outer = { inner(a: 1, b: 2, c: 3, d: 4, e: 5, f: 6) { return [a, b, c, d, e, f] } }',
      'export const five = (a: 1, b: 2, c: 3, d: 4, e: 5) => [a, b, c, d, e]',
    ].join('\n'),
  )
  try {
    expect(largeFunctions(folder)).toEqual([
      'src/a.ts:1: long has 61 lines, more than 60',
      'src/a.ts:122: inner takes 6 parameters, more than 5',
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('layers', () => {
  test('imports in src/ go downward only', async () => {
    const { problems, modules } = await checkLayers()
    expect(problems).toEqual([])
    expect(modules).toBeGreaterThan(0)
  })

  test('an upward import, a loss that knows a model, a cycle and an unknown room are found', async () => {
    const write = (path: string, text: string) => {
      mkdirSync(join(scratch, 'src', path, '..'), { recursive: true })
      writeFileSync(join(scratch, 'src', path), text)
    }
    writeFileSync(join(scratch, 'tsconfig.json'), '{"compilerOptions": {"module": "NodeNext"}}')
    writeFileSync(join(scratch, 'package.json'), '{"type": "module"}')
    write('tensor/low.ts', "import type { high } from '../nn/high.js'\nexport type Low = typeof high\n")
    write('nn/high.ts', 'export const high = 1\n')
    write('losses/loss.ts', "export { high } from '../nn/high.js'\n")
    write('data/a.ts', "import { b } from './b.js'\nexport const a = () => b\n")
    write('data/b.ts', "import { a } from './a.js'\nexport const b = () => a\n")
    write('attic/old.ts', 'export const old = 1\n')
    const { problems } = await checkLayers(scratch)
    const found = problems.map((problem: string) => problem.split(':')[0])
    expect(found).toContain('tensor-imports-upward')
    expect(found).toContain('losses-know-no-model')
    expect(found).toContain('no-cycle')
    expect(problems.some((problem: string) => problem.startsWith('src/attic/ has no place'))).toBe(true)
  })
})

describe('package-lock.json', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))

  test('names no host', () => {
    const resolved = Object.entries<{ resolved?: string }>(lock.packages).filter(
      ([, entry]) => entry.resolved,
    )
    expect(resolved.map(([name]) => name)).toEqual([])
  })

  test('names the optional packages of every platform, so that npm ci accepts it everywhere', () => {
    expect(Object.keys(missingEntries(lock))).toEqual([])
    expect(platformOf('@x/binding-linux-arm-musleabihf')).toEqual({
      os: ['linux'],
      cpu: ['arm'],
      libc: ['musl'],
    })
    expect(platformOf('@x/cli-win32-x64')).toEqual({ os: ['win32'], cpu: ['x64'] })
    expect(platformOf('esbuild')).toBeNull()
  })

  test('pins exact versions only', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const loose = Object.entries({ ...dependencies, ...devDependencies }).filter(
      ([, v]) => !/^\d+\.\d+\.\d+$/.test(String(v)),
    )
    expect(loose).toEqual([])
  })
})

const isCheckout = existsSync(join(root, '.git'))
describe.skipIf(!isCheckout)('files of the repository (a git checkout)', () => {
  const list = isCheckout
    ? execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
    : ''
  const texts = list
    .split('\n')
    .filter(
      (file) => file && /\.(ts|mjs|cjs|js|json|md|yaml|yml|cc|h|py|html|css)$|(^|\/)[^.]+$|npmrc$/.test(file),
    )
    .filter((file) => existsSync(join(root, file)))
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
  const holding = (pattern: RegExp) =>
    texts.flatMap(({ file, text }) => (pattern.test(text) ? [`${file}: ${text.match(pattern)?.[0]}`] : []))

  test('are read by this test at all', () => {
    expect(texts.length).toBeGreaterThan(20)
  })

  test('know a method by its name in src/methods alone', () => {
    const names = METHOD_NAMES.join('|')
    const byName = new RegExp(
      [
        `(?:method|kind|name)\\)?\\s*[!=]==?\\s*['"](?:${names})['"]`,
        `['"](?:${names})['"]\\s*[!=]==?\\s*\\S*(?:method|kind|name)\\b`,
        'switch \\([^)]*\\bmethod\\)',
        '\\.includes\\([^()]*\\bmethod\\)',
      ].join('|'),
      'i',
    )
    for (const text of [
      "o.method === 'sft'",
      "method !== 'clha'",
      'switch (o.method)',
      "['dpo'].includes(method)",
    ])
      expect(text).toMatch(byName)
    const found = holding(byName).filter((line) => /^src\/(?!methods\/)/.test(line))
    expect(found).toEqual([])
  })

  test('name no path of one machine', () => {
    // Written in pieces, so that this file does not find itself.
    const folders = ['work', 'root', 'home', 'tmp', 'Users'].join('|')
    expect(holding(new RegExp(`(?<![\\w.~/)}-])/(${folders})/[\\w.]`))).toEqual([])
  })

  test('name no package registry', () => {
    const hosts = [
      ['registry', 'npmjs', 'org'],
      ['pypi', 'org'],
      ['files', 'pythonhosted', 'org'],
      ['npmmirror', 'com'],
    ]
    expect(holding(new RegExp(hosts.map((parts) => parts.join('\\.')).join('|')))).toEqual([])
    const torchIndex = ['download', 'pytorch', 'org'].join('\\.')
    expect(holding(new RegExp(torchIndex)).map((line) => line.split(':')[0])).toEqual([
      'scripts/setup/wheels.mjs',
    ])
  })

  test('hold no secret', () => {
    const token = /\b(hf_[A-Za-z0-9]{30,}|gh[pousr]_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16}|npm_[A-Za-z0-9]{30,})\b/
    expect(holding(token)).toEqual([])
    expect(holding(/-----BEGIN [A-Z ]*PRIVATE KEY-----/)).toEqual([])
    expect(holding(/https?:\/\/[^\s/:@'"`]+:[^\s/:@'"`]+@/)).toEqual([])
  })
})
