// Every file that a page or a head comment names is there.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md', '*.ts', '*.mjs'], {
  cwd: root,
})
  .toString()
  .split('\n')
  .filter((file) => file !== '' && file !== 'CHANGELOG.md' && existsSync(join(root, file)))

/** Named as what somebody would add: docs/models.md. */
const EXAMPLES = ['src/models/families/starcoder2.ts']

/** Paths in backquotes of a page; in code those of its first comment. */
function pathsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const page = file.endsWith('.md')
  const where = page ? text : (/^(?:\/\*\*[\s\S]*?\*\/|(?:\/\/.*\n)+)/.exec(text)?.[0] ?? '')
  const named = page
    ? /`((?:src|test|docs|scripts|native|bench|recipes)\/[\w./-]*\w)\/?`/g
    : /\b((?:src|test|docs|scripts|native)\/[\w/-]+(?:\.\w+)+)/g
  return [...where.matchAll(named)].map(([, path]) => path)
}

test('files named in pages and in head comments exist', () => {
  const named = files.flatMap((file) => pathsOf(file).map((path) => ({ file, path })))
  expect(named.length).toBeGreaterThan(100)
  const missing = named.filter(({ path }) => !existsSync(join(root, path)) && !EXAMPLES.includes(path))
  expect(missing.map(({ file, path }) => `${file}: ${path}`)).toEqual([])
})

test('modules that scripts and the benchmark load by name exist, and export what is taken from them', () => {
  const taken = files
    .filter((file) => /^(scripts|bench)\/.*\.mjs$/.test(file))
    .flatMap((file) =>
      [
        ...readFileSync(join(root, file), 'utf8').matchAll(
          /const \{ ([^}]+) \} = await (?:load|product|import)\('(?:\.\.\/dist\/)?([a-z][\w/-]*)(?:\.js)?'\)/g,
        ),
      ].flatMap(([, names, module]) =>
        names.split(',').map((name) => ({ file, module, name: name.split(':')[0].trim() })),
      ),
    )
  expect(taken.length).toBeGreaterThan(60)
  const missing = taken.filter(({ module, name }) => {
    const path = join(root, `src/${module}.ts`)
    return !existsSync(path) || !exportsName(readFileSync(path, 'utf8'), name)
  })
  expect(missing.map(({ file, module, name }) => `${file}: ${name} of ${module}`)).toEqual([])
})

/** Declared or passed on; a file that passes everything on may export any name. */
const exportsName = (text: string, name: string) =>
  new RegExp(`export (?:async )?(?:const|function\\*?|class|interface) ${name}\\b`).test(text) ||
  new RegExp(`export \\{[^}]*\\b${name}\\b[^}]*\\}`).test(text) ||
  /export \* from/.test(text)
