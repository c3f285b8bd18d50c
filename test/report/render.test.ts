/** What a report shows, what it leaves out, and that every chart can be read without seeing it. */
import { describe, expect, test } from 'vitest'
import { renderMarkdown } from '../../src/report/markdown.js'
import { renderAlignReport, renderAuditReport } from '../../src/report/render.js'
import { conclusions, terminalTable } from '../../src/report/result-summary.js'
import { estimate, sampleReport } from './sample.js'

const sectionIds = (html: string) => [...html.matchAll(/<section id="([^"]*)"/g)].map((m) => m[1])

describe('the full report', () => {
  const report = sampleReport()
  const html = renderAlignReport(report)

  test('has every section, and its file stays small', () => {
    const ids = 'result samples evaluation audit rewards reversed doubtful reward-model curves run'
    expect(sectionIds(html)).toEqual(ids.split(' '))
    expect(html.length).toBeLessThan(1_000_000)
  })

  test('gives every chart a title, a description that exists, and its numbers as a table', () => {
    const figures = html.match(/<figure>[\s\S]*?<\/figure>/g) ?? []
    expect(figures.length).toBeGreaterThan(12)
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((m) => m[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const figure of figures) {
      const [, title, description] = figure.match(/role="img" aria-labelledby="(\S+) (\S+)"/) ?? []
      expect(figure).toMatch(
        new RegExp(`<title id="${title}">[^<]+</title><desc id="${description}">[^<]+</desc>`),
      )
      expect(figure).toMatch(/<summary>Numbers<\/summary><div class="scroll"[^>]*><table>/)
      expect(figure.match(/<tr>/g)?.length).toBeGreaterThan(1)
    }
  })

  test('draws numbers, never a NaN', () => {
    expect(html).not.toMatch(/NaN|undefined|Infinity|\[object/)
    expect(renderMarkdown(report)).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  test('is the same text for the same report', () => {
    expect(renderAlignReport(sampleReport())).toBe(html)
  })

  test('puts best rewards and their words side by side', () => {
    expect(html).toContain('<dd class="best">+2.70 (highest)</dd>')
  })
})

describe('missing parts', () => {
  test('a report with a title only is a page without sections', () => {
    const html = renderAlignReport({ title: 'Nothing yet' })
    expect(sectionIds(html)).toEqual([])
    expect(html).toContain('<h1>Nothing yet</h1>')
    expect(renderMarkdown({ title: 'Nothing yet' })).toBe('# Nothing yet\n')
  })

  test.each([
    ['samples', ['samples']],
    ['evaluation', ['evaluation']],
    ['curves', ['curves']],
    ['audit', ['audit', 'rewards', 'reversed', 'doubtful']],
  ] as const)('without %s its sections are absent and the others stay', (part, gone) => {
    const whole = sectionIds(renderAlignReport(sampleReport()))
    const html = renderAlignReport({ ...sampleReport(), [part]: undefined })
    expect(sectionIds(html)).toEqual(whole.filter((id) => !(gone as readonly string[]).includes(id)))
  })

  test('columns that nobody measured are absent', () => {
    const report = sampleReport()
    for (const row of report.evaluation!.rows) row.trueReward = undefined
    const html = renderAlignReport({ ...report, samples: [], multiSeed: undefined })
    expect(html).not.toContain('<th scope="col" class="n">true reward</th>')
    expect(html).toContain('<th scope="col" class="n">second reward model</th>')
  })

  test('lost points of a curve are skipped, and a single point still draws', () => {
    const curves = [
      {
        name: 'clha',
        metrics: ['loss'],
        points: [
          { step: 1, loss: null },
          { step: 2, loss: 0.5 },
        ],
      },
    ]
    expect(sectionIds(renderAlignReport({ title: 't', curves }))).toEqual(['curves'])
    expect(renderAlignReport({ title: 't', curves })).not.toContain('NaN')
  })
})

test('an audit without truth has no confusion matrix', () => {
  const { audit } = sampleReport()
  expect(renderAuditReport(audit!)).toContain('Against the truth')
  expect(renderAuditReport({ ...audit!, truth: undefined })).not.toContain('Against the truth')
})

describe('the first page', () => {
  const report = sampleReport()
  const html = renderAlignReport(report)

  test('begins with one picture of the result: the reward of every system, with its interval', () => {
    const result = html.slice(html.indexOf('<section id="result">'))
    expect(result.indexOf('<figure>')).toBeLessThan(result.indexOf('<table>'))
    const [first] = html.match(/<figure>[\s\S]*?<\/figure>/) ?? []
    expect(first).toContain('True reward, mean over 3 seeds with its 95 % interval')
    const [ofPrompts] =
      renderAlignReport({ ...report, multiSeed: undefined }).match(/<figure>[\s\S]*?<\/figure>/) ?? []
    expect(ofPrompts).toContain('True reward, mean over 300 prompts with its 95 % interval')
    for (const name of ['start', 'sft', 'clha', 'greedy', 'sampled']) expect(ofPrompts).toContain(`>${name}<`)
  })

  test('is drawn by the best judge there is', () => {
    const rows = report.evaluation!.rows.map((row) => ({ ...row, trueReward: undefined }))
    const without = { ...report, multiSeed: undefined, evaluation: { ...report.evaluation!, rows } }
    expect(renderAlignReport(without)).toContain('Second reward model, mean over 300 prompts')
  })

  test('warnings stand below the result, those of a training beside its curves', () => {
    const warnings = [{ message: 'WATCH THIS.', hint: 'Do that.' }]
    const curves = report.curves!.map((curve) => ({ ...curve, warnings }))
    const text = renderAlignReport({ ...report, curves })
    const at = (part: string) => text.indexOf(part)
    expect(at('Chosen answers got less likely')).toBeGreaterThan(at('<table>'))
    expect(at('WATCH THIS. Do that.')).toBeGreaterThan(at('<section id="curves">'))
    expect(text.match(/WATCH THIS/g)).toHaveLength(1)
    expect(renderMarkdown({ ...report, curves })).toMatch(
      /## Learning curves\n\n- \*\*Warning:\*\* WATCH THIS/,
    )
  })

  test('a flag is never broken across lines', () => {
    expect(html).toContain('npm run quickstart <span class="flag">-- --seeds</span> 5')
  })
})

test('a card of the audit says whether the label really was reversed, where the truth is known', () => {
  const { audit } = sampleReport()
  const cards = (from: typeof audit) => renderAuditReport(from!).match(/In truth the label was (\w+)/g) ?? []
  const known = [...audit!.reversed, ...audit!.doubtful].map(({ trulyReversed }) => trulyReversed)
  expect(cards(audit)).toEqual(
    known.map((reversed) => `In truth the label was ${reversed ? 'reversed' : 'right'}`),
  )
  expect(new Set(known)).toEqual(new Set([true, false]))
  const unknown = audit!.reversed.map(({ trulyReversed: _, ...label }) => label)
  expect(cards({ ...audit!, reversed: unknown, doubtful: [] })).toEqual([])
})

test('warnings of the audit stand on top with what to do', () => {
  const { audit } = sampleReport()
  const warnings = [{ code: 'few_pairs' as const, message: 'Only 0.4 % are contrasted.', hint: 'Lower it.' }]
  const html = renderAuditReport({ ...audit!, warnings })
  expect(html).toContain('<ul class="warnings"><li>Only 0.4 % are contrasted. Lower it.</li></ul>')
})

test('the terminal table is the short one: one row per system, first decoding, all prompts', () => {
  expect(terminalTable(sampleReport())).toEqual({
    columns: [
      { label: '' },
      ...['true reward', 'second reward model', 'wins against start', 'length, tokens'].map((label) => ({
        label,
        numeric: true,
      })),
    ],
    rows: [
      ['start', '−1.32 ±0.12', '−0.40', '–', '11.6'],
      ['sft', '+1.10 ±0.12', '+1.20', '71 % (68–75)', '8.1'],
      ['clha', '+2.05 ±0.12', '+2.10', '88 % (85–92)', '9.0'],
    ],
  })
  expect(terminalTable({ title: 't' })).toEqual({ columns: [], rows: [] })
})

describe('verdicts', () => {
  const row = (system: string, value: number, half: number) => ({
    system,
    source: 'total',
    prompts: 10,
    trueReward: estimate(value, half),
  })

  test('say which system is higher only when intervals are apart', () => {
    const apart = conclusions({ baseline: 'sft', rows: [row('sft', 1, 0.2), row('clha', 2, 0.2)] })
    expect(apart[0]).toMatch(/clha is higher\.$/)
    const close = conclusions({ baseline: 'sft', rows: [row('sft', 1, 0.2), row('clha', 1.3, 0.2)] })
    expect(close[0]).toMatch(/can’t be told apart here\.$/)
  })

  test('go by paired differences where there are some', () => {
    const difference = (value: number) => [
      { a: 'clha', b: 'sft', metric: 'true reward', difference: estimate(value, 0.2) },
    ]
    const of = (value: number) =>
      conclusions({ baseline: 'sft', rows: [], differences: difference(value) })[0]
    expect(of(0.1)).toMatch(/can’t be told apart\.$/)
    expect(of(0.5)).toMatch(/clha is higher\.$/)
    expect(of(-0.5)).toMatch(/sft is higher\.$/)
  })
})
