/** The examples in the doc comments of public functions: each is run in a folder with `model/`, `reward/` and `prefs.jsonl`. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { reachOf, readGraph } from '../scripts/reach.mjs'
import * as clha from '../src/index.js'
import { writeFiles } from './commands/eval-folder.js'

const ROOT = resolve(import.meta.dirname, '..')

interface DocExample {
  /** File and name of what it belongs to. */
  of: string
  code: string
  /** Needs hours or a trained model: it is only checked to compile. */
  runs: boolean
}

/** Files that public/ exports from, or that these stand on. */
const reached = [...(reachOf(readGraph(), 'src/index.ts', { later: true }) as Set<string>)]
const files = reached.map((file) => resolve(ROOT, file))

const EXAMPLE =
  /@example\n \* ```ts( no-run)?\n((?: \*.*\n)*?) \* ```[\s\S]*?\*\/\nexport (?:async )?(?:function\*?|const) (\w+)/g

const examples: DocExample[] = files.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(EXAMPLE)].map(([, idle, body, name]) => ({
    of: `${file.slice(ROOT.length + 5)} ${name}`,
    code: body.replace(/^ \* ?/gm, ''),
    runs: idle === undefined,
  })),
)

const here = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'clha-examples-'))

let data: string
beforeAll(async () => {
  data = (await writeFiles(folder)).data
  process.chdir(folder)
})
/** An example may write a file of its own under the name that others read. */
beforeEach(() => copyFileSync(data, `${folder}/prefs.jsonl`))
afterAll(() => {
  process.chdir(here)
  rmSync(folder, { recursive: true, force: true })
})

/** `expression // value` becomes a check; what follows `for (…)` is checked in each round. */
const checked = (code: string): string =>
  code.replace(/^(for await \([^\n]*?\) (?=list))?((?!\/\/)[^\n]*?) \/\/ ([^\n]+)$/gm, '$1check($2, $3)')

const names = Object.keys(clha)

function compile(code: string): string {
  const { outputText, diagnostics } = ts.transpileModule(checked(code), {
    reportDiagnostics: true,
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  })
  expect(diagnostics?.map(({ messageText }) => messageText)).toEqual([])
  return outputText
}

test('the functions that one calls first have one', () => {
  expect(examples.length).toBeGreaterThanOrEqual(30)
})

test.each(examples.filter(({ runs }) => runs))('$of', async ({ code }) => {
  let checks = 0
  const check = (found: unknown, expected: unknown) => {
    checks += 1
    expect(found).toEqual(expected)
  }
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...values: unknown[]) => Promise<void>
  const { writeFileSync } = await import('node:fs')
  const run = new AsyncFunction('check', 'writeFileSync', ...names, compile(code))
  await run(check, writeFileSync, ...Object.values(clha))
  expect(checks).toBeGreaterThan(0)
})

/** Names that only a later command would make. */
test('those that are not run compile against the library', () => {
  const path = resolve(ROOT, 'test/examples.virtual.ts')
  const blocks = examples.filter(({ runs }) => !runs).map(({ code }) => `void (async () => {\n${code}})`)
  const text = `import { ${names.join(', ')} } from '../src/index.js'\n${blocks.join('\n')}\n`
  const { config } = ts.readConfigFile(resolve(ROOT, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT)
  const host = ts.createCompilerHost(options)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => name === path || fileExists(name)
  host.readFile = (name) => (name === path ? text : readFile(name))
  host.getSourceFile = (name, ...rest) =>
    name === path ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest)
  const program = ts.createProgram(
    [path],
    {
      ...options,
      noEmit: true,
      noUnusedLocals: false,
      rootDir: ROOT,
      typeRoots: [join(ROOT, 'node_modules/@types')],
    },
    host,
  )
  const source = program.getSourceFile(path)
  const found = ts.getPreEmitDiagnostics(program, source)
  expect(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
}, 120_000)
