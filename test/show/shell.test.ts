// Commands that people paste: names from files and hubs stay what they are, one word.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { conversionHint } from '../../src/checkpoint/format/foreign-format.js'
import { pythonText, shellPath, shellWord } from '../../src/show/shell.js'
import { temporaryFolder } from '../helpers/folders.js'

const EVIL = [
  "a'; touch X; echo '.bin",
  '$(touch X)',
  '`touch X`',
  'a; touch X',
  'a && touch X &',
  'a | touch X',
  '> X',
  'two words',
  "it's",
  '"',
  '\\',
  "\\'",
  '*',
  '~',
  '~/x',
  '#x',
  '!x',
  '{a,b}',
  '',
  'ä/世界.jsonl',
]

test.each(EVIL)('%j is one word of a shell, and the same one', (name) => {
  const cwd = temporaryFolder()
  for (const shell of ['sh', 'bash']) {
    const said = execFileSync(shell, ['-c', `printf '%s|' ${shellWord(name, 'NAME')}`], { cwd })
    expect(said.toString()).toBe(`${name}|`)
  }
  expect(readdirSync(cwd)).toEqual([])
})

test('plain names stay as they are; one that begins with a dash is no option; what can not be shown is a placeholder', () => {
  expect(shellPath('runs/my-run_1.5/checkpoint-20')).toBe('runs/my-run_1.5/checkpoint-20')
  expect(shellPath('--force')).toBe('./--force')
  expect(shellPath('-rf /')).toBe("'./-rf /'")
  for (const name of ['a\nb', 'a\u001b[2J', 'a\u202eb', 'a\tb']) expect(shellPath(name)).toBe('PATH')
  expect(shellWord('a\u0007', 'ID')).toBe('ID')
})

test('the way to convert a pickle is one call of python, whatever the file is called', () => {
  for (const name of [
    "a'; touch X; echo '.bin",
    'a"); import os; os.system("touch X"); ("',
    'a\u001b[2Jb.bin',
  ]) {
    const cwd = temporaryFolder()
    const command = conversionHint(join(cwd, name)).split('\n').at(-1)
    // In the place of python a function that shows what it was given.
    const said = execFileSync('sh', ['-c', `python3() { printf '%s|' "$@"; }\n${command}`], { cwd })
    const [option, source, ...rest] = said.toString().split('|')
    expect([option, rest]).toEqual(['-c', ['']])
    expect(source).toContain(`torch.load(${pythonText(name)}, map_location="cpu", weights_only=True)`)
    expect(existsSync(join(cwd, 'X'))).toBe(false)
  }
  expect(pythonText('a"b\\c\u001b\u202e')).toBe('"a\\"b\\\\c\\u001b\\u202e"')
})

/** Values of the program's own that are no names from outside. */
const OWN = /\$\{(runs\.length|command|python \w+)/

test('every command in the sources that names something quotes it', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
  const found = files.flatMap((file) =>
    readFileSync(join('src', file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\*|\/\/|\/\*\*)/.test(line))
      // `clha eval ${x}`, `--card ${x}`: a command or a flag, and something put in behind it.
      .filter((line) => /`[^`]*\b(clha [a-z]+( [a-z]+)?|(--[a-z-]+)) \$\{/.test(line))
      .filter((line) => !/usageError\(`--|(clha round|written by clha) \$\{|report_to: clha/.test(line))
      .filter((line) => !/\$\{(ids\.map\()?.*shell(Path|Word)\(/.test(line) && !OWN.test(line))
      .map((line) => `${file}: ${line.trim()}`),
  )
  const harmless = found.filter(
    (line) => !/numberOf\(`--|exit code|say whose it is: --from|clha has no key/.test(line),
  )
  expect(harmless).toEqual([])
})
