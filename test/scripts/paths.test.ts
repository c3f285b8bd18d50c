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
