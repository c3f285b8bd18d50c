/** The template language: what Jinja2 rendered as transformers sets it up, and what a template may cost. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compileJinja } from '../../src/text/jinja/run.js'
import { fromJson } from '../../src/text/jinja/values.js'

const recorded = JSON.parse(readFileSync(new URL('./jinja-recorded.json', import.meta.url), 'utf8'))
const variables = new Map(Object.entries(recorded.variables).map(([name, value]) => [name, fromJson(value)]))
const now = new Date(2024, 2, 5, 7, 8, 9, 123)
const render = (source: string, given = variables) => compileJinja(source).run(given, { now })

describe('as Jinja2 renders it', () => {
  test.each(recorded.cases as [string, string | null][])('%j', (source, text) => {
    if (text === null) expect(() => render(source)).toThrow()
    else expect(render(source)).toBe(text)
  })

  test('line ends of a template are line feeds, whatever the file has', () => {
    const source = "{% if t %}\na\n{% endif %}\n{{ 'x\ny' }}\n"
    expect(render(source.replaceAll('\n', '\r\n'))).toBe('a\nx\ny')
    expect(render(source.replaceAll('\n', '\r'))).toBe('a\nx\ny')
  })

  test('errors of the source name the line', () => {
    expect(() => compileJinja('a\n{% if x %}\nb')).toThrow(/line 2: a block is not closed/)
    expect(() => compileJinja('a\n\n{{ 1 + }}')).toThrow(/line 3: expected an expression/)
  })
})

describe('what it may cost', () => {
  const nested = (depth: number) =>
    `${'{% for i in range(1000) %}'.repeat(depth)}x${'{% endfor %}'.repeat(depth)}`
  test.each([
    ['nested loops', nested(4)],
    ['a long text', "{{ 'x' * 10000000000 }}"],
    [
      'a text doubled',
      "{% set n = namespace(x='x') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    ],
    [
      'a text joined with itself',
      "{% set n = namespace(x='x') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    ],
    [
      'a text replaced by more',
      "{% set n = namespace(x='x') %}{% for i in range(60) %}{% set n.x = n.x|replace('x', 'xx') %}{% endfor %}",
    ],
    [
      'a list doubled',
      '{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}',
    ],
    ['a long list', '{{ [1] * 100000000 }}'],
    [
      'a list that holds itself twice, printed',
      '{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}',
    ],
    [
      'the same as JSON',
      '{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x|tojson }}',
    ],
    [
      'the same compared',
      '{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}',
    ],
    [
      'the same ordered',
      '{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x <= n.y }}',
    ],
    ['a wide format', "{{ '%1000000000d' % 1 }}"],
    ['a wide field', "{{ '{:>1000000000}'.format(1) }}"],
    ['a wide center', "{{ 'x'|center(1000000000) }}"],
    ['a wide indent', "{{ 'x\ny'|indent(1000000000) }}"],
    ['a wide JSON indent', '{{ [1]|tojson(indent=1000000000) }}'],
    ['a filled batch', '{{ [1]|batch(1000000000, 0)|list }}'],
    ['many slices', '{{ [1]|slice(1000000000)|list }}'],
    ['a macro that calls itself', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    ['a loop that calls itself', '{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}'],
    [
      'deep lists',
      '{% set n = namespace(x=[]) %}{% for i in range(100000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}',
    ],
  ])('%s: it is stopped', (_, source) => {
    expect(() => render(source)).toThrow(/it takes too much/)
  })

  test('ranges are those of the sandbox', () => {
    expect(() => render('{% for i in range(10**10) %}{% endfor %}')).toThrow(/MAX_RANGE \(100000\)/)
    expect(render('{{ range(100000)|length }}')).toBe('100000')
  })

  test('brackets a hundred thousand deep are an error of the source', () => {
    expect(() => compileJinja(`{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`)).toThrow(
      /nested too deep/,
    )
    expect(() => compileJinja(`{{ ${'not '.repeat(100_000)}x }}`)).toThrow(/nested too deep/)
  })
})
