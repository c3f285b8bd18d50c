// Every command, flag and key that a page or a head comment names is there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../src/commands/index.js'
import { flagName, flagSpec } from '../../src/config/flags.js'
import { CONFIG_KEYS, type ConfigKey } from '../../src/config/schema.js'

const root = new URL('../..', import.meta.url).pathname
const list = (...patterns: string[]) =>
  execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...patterns], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter((file) => file !== '' && existsSync(join(root, file)))
const read = (file: string) => readFileSync(join(root, file), 'utf8')

interface Code {
  file: string
  text: string
}

/** Code of a page: its spans, and the lines of its fences without what follows a #. */
function codeOf(page: string): string[] {
  const fences = [...page.matchAll(/^```(?!mermaid)\w*\n([\s\S]*?)^```/gm)].map(([, text]) => text)
  const outside = page.replace(/^```[\s\S]*?^```/gm, '')
  const lines = fences.flatMap((text) =>
    text
      .replace(/\\\n\s*/g, '')
      .split('\n')
      .map((line) => line.replace(/\s#.*/, '')),
  )
  return [...lines, ...[...outside.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span)]
}

const headOf = (text: string) => /^(?:\/\*\*[\s\S]*?\*\/|(?:\/\/.*\n)+)/.exec(text)?.[0] ?? ''

const pages = list('*.md').filter((file) => file !== 'CHANGELOG.md')
const code: Code[] = [
  ...pages.flatMap((file) => codeOf(read(file)).map((text) => ({ file, text }))),
  ...list('src/*.ts', 'test/*.ts', 'scripts/*.mjs').flatMap((file) =>
    codeOf(headOf(read(file))).map((text) => ({ file, text })),
  ),
]

const GROUPS = new Set(COMMANDS.filter(({ path }) => path.length > 1).map(({ path }) => path[0]))
const EVERYWHERE = ['--help', '--help-all', '--version']
/** Of other programs, by a line that calls them. */
const OTHERS =
  /\b(npm|npx|node|git|curl|python3?|pip|apt|trl|g\+\+|docker|vitest|vllm|accelerate|nvidia-smi|llama-gguf-split)\b/

/** The command that a line calls, or what it calls in place of one. */
function commandOf(text: string) {
  const words = /(?:^|[\s;&|(])(?:(?:\.\/)?clha|npm run(?= quickstart| experiment))((?: [a-z][a-z-]*)*)/
    .exec(text)?.[1]
    .trim()
    .split(' ')
  if (words === undefined || words[0] === '' || words[0] === 'help') return undefined
  const name = words.slice(0, GROUPS.has(words[0]) && words.length > 1 ? 2 : 1)
  const found = COMMANDS.find(({ path }) => path.join(' ') === name.join(' '))
  return { name: name.join(' '), found, group: name.length === 1 && GROUPS.has(name[0]) }
}

type Command = (typeof COMMANDS)[number]

function flagsOf({ flags, keys, short = {} }: Command): string[] {
  const own = flags.flatMap(({ flag }) => flag.match(/--[a-z-]+/g) ?? [])
  const ofKeys = [...keys, ...Object.values(short)].map((key) => flagSpec(key as ConfigKey).flag)
  const shorts = Object.keys(short).map((key) => flagName(key as ConfigKey))
  return [...own, ...ofKeys, ...ofKeys.map((flag) => flag.replace('--', '--no-')), ...shorts, '--json']
}

const scriptFlags = new Set(
  list('scripts/*.mjs', 'bench/*.mjs', 'scripts/parity/*.py').flatMap(
    // As text, or as an option of parseArgs.
    (file) => [
      ...(read(file).match(/(?<=['"`])--[a-z][a-z-]*/g) ?? []),
      ...[...read(file).matchAll(/\b'?([a-z][a-z-]*)'?: \{ type: '/g)].map(([, name]) => `--${name}`),
    ],
  ),
)
const anyFlag = new Set([...EVERYWHERE, ...scriptFlags, ...COMMANDS.flatMap(flagsOf)])
/** A line that calls a script of the repository. */
const OWN_SCRIPT = /\b(?:node (?:scripts|bench)\/|npm run (?:bench|setup|check)|bench\/\w+\.mjs)/

/** The flags that may stand in a line. */
function flagsFor(text: string): ReadonlySet<string> {
  if (OWN_SCRIPT.test(text)) return scriptFlags
  const command = commandOf(text)?.found
  return command === undefined ? anyFlag : new Set([...EVERYWHERE, ...flagsOf(command)])
}

test('commands named in pages and in head comments exist', () => {
  const called = code.flatMap((where) => {
    const command = commandOf(where.text)
    return command === undefined ? [] : [{ ...where, ...command }]
  })
  expect(called.length).toBeGreaterThan(100)
  const missing = called.filter(({ found, group }) => found === undefined && !group)
  expect(missing.map(({ file, name }) => `${file}: clha ${name}`)).toEqual([])
})

test('flags named in pages and in head comments exist, and belong to the command that they stand behind', () => {
  const named = code
    .filter(({ text }) => OWN_SCRIPT.test(text) || !OTHERS.test(text))
    .flatMap(({ file, text }) =>
      [...text.matchAll(/(?<![\w-])(--[a-z][a-z0-9-]*)/g)].map(([, flag]) => ({ file, text, flag })),
    )
  expect(named.length).toBeGreaterThan(100)
  const missing = named.filter(({ text, flag }) => !flagsFor(text).has(flag))
  expect(missing.map(({ file, text }) => `${file}: ${text.trim()}`)).toEqual([])
})

/**
 * A key of Hugging Face's config.json that is refused as any unknown one, a case of test/models/adapter.test.ts, columns that
 * patterns recognise, and llama.cpp's converter.
 */
const FOREIGN = new Set([
  ...['quantization_config', 'lora_all_linear', 'convert_hf_to_gguf'],
  ...['chosen_response', 'response_w', 'response_l', 'annotator_1'],
])

test('keys named in pages with a value exist, and names with an underscore stand somewhere in the code', () => {
  const keys = new Set<string>(CONFIG_KEYS)
  const sources = list(
    'src/*',
    'native/*',
    'scripts/*',
    'bench/*',
    'recipes/*',
    'experiments/*',
    'test/parity/*',
  )
    .filter((file) => /\.(ts|mjs|cc|h|cu|cuh|json|yaml|py)$/.test(file))
    .map(read)
    .join('\n')
  const words = new Set(sources.match(/[A-Za-z][A-Za-z0-9_]*/g))
  const named = pages.flatMap((file) =>
    codeOf(read(file)).flatMap((text) => {
      const given = /^([a-z]+(?:_[a-z0-9]+)+): \S/.exec(text)?.[1]
      const alone = /^([a-z]+(?:_[a-z0-9]+)+)$/.exec(text)?.[1]
      return [given ?? alone ?? []].flat().map((name) => ({ file, name, given: given !== undefined }))
    }),
  )
  expect(named.length).toBeGreaterThan(300)
  const missing = named.filter(({ name }) => !keys.has(name) && !words.has(name) && !FOREIGN.has(name))
  expect(missing.map(({ file, name }) => `${file}: ${name}`)).toEqual([])
})
