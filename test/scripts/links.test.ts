// Every relative link in a Markdown file leads to a file, and to a heading where it names one.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root })
  .toString()
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)))

const textOf = (file: string) => readFileSync(join(root, file), 'utf8')
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '')

/** The anchor that GitHub makes of a heading. */
const slug = (heading: string) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

const anchorsOf = (text: string) =>
  new Set(
    [...text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, heading]) =>
      slug(heading.replaceAll('`', '')),
    ),
  )

function problemsOf(file: string): string[] {
  const links = [...withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target)
  return links
    .filter((target) => !/^[a-z]+:/.test(target))
    .flatMap((target) => {
      const [path, anchor] = target.split('#')
      const place = path === '' ? file : join(dirname(file), path)
      if (!existsSync(join(root, place))) return [`${file}: ${target}: no such file`]
      if (anchor === undefined || !place.endsWith('.md')) return []
      return anchorsOf(textOf(place)).has(anchor) ? [] : [`${file}: ${target}: no such heading`]
    })
}

test('relative links in Markdown files resolve', () => {
  expect(pages).toContain('README.md')
  expect(pages.flatMap(problemsOf)).toEqual([])
})

test('headings become the anchors that GitHub gives them', () => {
  expect(slug("What the library's `train` does, in 2 lines")).toBe('what-the-librarys-train-does-in-2-lines')
})
