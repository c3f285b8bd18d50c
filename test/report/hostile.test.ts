/** Text from models and data is never markup, and a report never reaches outside itself. */
import { describe, expect, test } from 'vitest'
import { escapeHtml, escapeMarkdown, fencedMarkdown, shorten, visible } from '../../src/report/kit/escape.js'
import { renderMarkdown } from '../../src/report/markdown.js'
import { renderAlignReport, renderAuditReport, renderEvalReport } from '../../src/report/render.js'
import type { AlignReport } from '../../src/report/types.js'
import { sampleAudit, sampleReport } from './sample.js'

const HOSTILE =
  '</style></title><script>alert(1)</script><img src="https://evil.example/x" onerror=alert(2)>\u202Etxt\u0000\u0007{a|b} \'"&amp;'

/** The sample with every string in it, names and keys of rewards included, made hostile. */
function hostileReport(): AlignReport {
  const poison = (value: unknown, key?: string): unknown => {
    if (typeof value === 'string')
      return key === 'source' && value === 'total' ? value : `${value} ${HOSTILE}`
    if (Array.isArray(value)) return value.map((v) => poison(v))
    if (value === null || typeof value !== 'object') return value
    const rename = (k: string) => (key === 'rewards' || key === 'sources' ? `${k} ${HOSTILE}` : k)
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [rename(k), poison(v, k)]))
  }
  const report = poison(sampleReport()) as AlignReport
  // Names of metrics are keys of the points.
  report.curves = [
    {
      name: HOSTILE,
      metrics: [HOSTILE],
      points: [
        { step: 1, [HOSTILE]: 2 },
        { step: 2, [HOSTILE]: 1 },
      ],
    },
  ]
  return report
}

const pages: [string, () => string][] = [
  ['align', () => renderAlignReport(hostileReport())],
  ['audit', () => renderAuditReport(hostileReport().audit!, { title: HOSTILE })],
  ['evaluation', () => renderEvalReport(hostileReport())],
]

describe.each(pages)('the %s report on hostile text', (_, render) => {
  const html = render()
  const tags = [...html.matchAll(/<[^>]*>/g)].map((m) => m[0])

  test('has no element that runs or loads anything', () => {
    expect(html).toContain('&lt;script&gt;alert(1)')
    for (const tag of tags)
      expect(tag).not.toMatch(
        /^<\/?(script|img|iframe|object|embed|link|base|form|image|use|foreignObject|a:)\b/i,
      )
  })

  test('has no active attribute, and links only within itself', () => {
    for (const tag of tags) {
      const unquoted = tag.replace(/"[^"]*"/g, '""')
      expect(unquoted).not.toMatch(/\son\w+\s*=/i)
      expect(unquoted).not.toMatch(/\ssrc\s*=/i)
      for (const [, target] of tag.matchAll(/href\s*=\s*"([^"]*)"/g)) expect(target).toMatch(/^#[\w-]+$/)
      for (const [, target] of tag.matchAll(/url\(([^)]*)\)/g)) expect(target).toMatch(/^#/)
    }
    expect(html.match(/<style>[\s\S]*?<\/style>/g)).toHaveLength(1)
    expect(html.match(/<style>[\s\S]*?<\/style>/)?.[0]).not.toMatch(/url\(|@import/)
  })

  test('forbids all loading by its policy, before anything else could load', () => {
    const policy = `content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"`
    expect(html.indexOf(policy)).toBeGreaterThan(0)
    expect(html.indexOf(policy)).toBeLessThan(html.indexOf('<style>'))
  })

  test('shows control and direction characters instead of obeying them', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these must not be there
    expect(html).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202a-\u202e\u2066-\u2069]/)
    expect(html).toContain('[U+202E]txt[U+0000][U+0007]')
  })
})

test('Markdown loads nothing, and no text leaves its table cell or its block', () => {
  const report = sampleReport()
  const evil = '![x](https://evil.example/x) | `<b>` \n# heading\n```\nout\n````'
  report.samples![0].answers[0] = { system: evil, text: evil, rewards: {} }
  const md = renderMarkdown(report)
  expect(md).toContain('\\!\\[x\\](https://evil.example/x) \\| \\`\\<b\\>\\` \\# heading \\`\\`\\` out')
  expect(md).toContain(`\`\`\`\`\`text\n${evil}\n\`\`\`\`\``)
})

test('escapes, shows and shortens text as documented', () => {
  expect(escapeHtml(`<a href="x">'&`)).toBe('&lt;a href=&quot;x&quot;&gt;&#39;&amp;')
  expect(visible('a\u200bb\u2066c\ufeff\r\nd\te')).toBe('a[U+200B]b[U+2066]c[U+FEFF]\nd\te')
  expect(visible('\ud800x')).toBe('[U+D800]x')
  expect(visible('日本語 👩 é עברית')).toBe('日本語 👩 é עברית')
  expect(escapeMarkdown('snake_case | *b*')).toBe('snake\\_case \\| \\*b\\*')
  expect(fencedMarkdown('plain')).toBe('```text\nplain\n```')
  expect(shorten('abc', 3)).toEqual({ text: 'abc' })
  expect(shorten('👩👩👩👩', 3)).toEqual({ text: '👩👩👩 …', remark: '1 more character in report.json' })
})

test('the audit of the sample has the shape that the rescoring room makes', () => {
  expect(sampleAudit().total.labels.total).toBe(1200)
})
