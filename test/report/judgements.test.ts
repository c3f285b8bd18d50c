import { expect, test } from 'vitest'
import { seedsReport } from '../../src/commands/quickstart/quickstart-seeds.js'
import { wordDiff } from '../../src/evaluate/word-diff.js'
import { renderMarkdown } from '../../src/report/markdown.js'
import { renderEvalReport } from '../../src/report/render.js'
import type { EvalReport } from '../../src/report/types.js'
import { headlineOf, type Judgement } from '../../src/report/verdicts/judgements.js'

const by = (who: string, low: number, high: number, more: Partial<Judgement> = {}): Judgement => ({
  system: 'mine',
  baseline: 'start',
  who,
  prompts: 200,
  winRate: { value: (low + high) / 2, interval: [low, high] },
  ...more,
})

test('the first screen says which is better, by how much, how sure, and who disagrees', () => {
  const { answer, lines } = headlineOf([
    by('the second reward model', 0.55, 0.65),
    by('the reward model', 0.6, 0.8),
  ])
  expect(answer).toBe('mine is better than start.')
  expect(lines).toEqual([
    'By the second reward model mine wins 60 % against start, on 200 prompts; 50 % would be a draw.',
    'The 95 % interval of that share is 55 % to 65 %: all of it on one side of 50 %, so chance alone does not explain it.',
    'The reward model agrees: 70 % (60 to 80 %).',
  ])
  const worse = headlineOf([by('people', 0.2, 0.4, { raters: 12 }), by('the reward model', 0.6, 0.8)])
  expect(worse.answer).toBe('mine is worse than start.')
  expect(worse.lines[0]).toContain('By people (12 raters)')
  expect(worse.lines.at(-1)).toBe('The reward model says otherwise: better, 70 % (60 to 80 %).')
})

test('an interval around one half shows no difference, and says what would narrow it', () => {
  const few = headlineOf([by('people', 0.4, 0.7, { raters: 3 })])
  expect(few.answer).toBe('No difference between mine and start is shown.')
  expect(few.lines[1]).toContain('too wide to tell. More raters narrow it.')
  expect(few.lines.at(-1)).toContain('3 raters are few')
  expect(headlineOf([by('the reward model', 0.4, 0.7)]).lines[1]).toContain('More prompts narrow it.')
  expect(headlineOf([by('the reward model', 0.46, 0.54)]).lines[1]).toContain('the two are close')
  const none = headlineOf([{ ...by('people', 0, 1), winRate: { value: 1 } }])
  expect(none.lines[1]).toContain('no interval')
})

test('over several seeds the interval is theirs: mean and t by hand', () => {
  const run = (seed: number, rate: number) => ({
    seed,
    report: {
      title: 'Quickstart',
      judgements: [by('the true reward', rate, rate)],
      measures: { subject: 'mine', systems: {} },
      evaluation: { baseline: 'start', rows: [] },
    },
  })
  const { judgements, measures } = seedsReport([run(1, 0.6), run(2, 0.7), run(3, 0.8)])
  // Standard deviation 0.1 over 3 seeds, t of 2 degrees 4.3027: 0.7 plus and minus 0.2484.
  const { value, interval } = judgements![0].winRate
  expect(value).toBeCloseTo(0.7, 12)
  expect(interval?.[0]).toBeCloseTo(0.7 - (4.302653 * 0.1) / Math.sqrt(3), 5)
  // What is measured of the last seed alone is no measure of all.
  expect(measures).toBeUndefined()
  const { answer, lines } = headlineOf(judgements!)
  expect(answer).toBe('No difference between mine and start is shown.')
  expect(lines[0]).toContain('on 200 prompts, mean over 3 seeds')
  expect(lines[1]).toContain('More seeds narrow it.')
})

test('longer answers are said, with the win rate at equal length and whether that changes the conclusion', () => {
  const longer = by('the reward model', 0.55, 0.65, {
    lengthControlled: { value: 0.48, interval: [0.42, 0.54] },
  })
  expect(headlineOf([longer], 1.4).lines).toContain(
    'Its answers are 40 % longer. At equal length mine would win 48 % (42 to 54 %): no difference shown.',
  )
  expect(headlineOf([by('the reward model', 0.55, 0.65)], 0.5).lines).toContain(
    'Its answers are 50 % shorter. One side is longer throughout, so nothing can be said of equal length.',
  )
  expect(headlineOf([by('the reward model', 0.55, 0.65)], 1.02).lines).toHaveLength(2)
})

test('words that the other text lacks are told apart, and all text is kept', () => {
  const [a, b] = wordDiff('It is  blue, I think.', 'It is surely blue, I think so.')
  expect(a.map(({ text }) => text).join('')).toBe('It is  blue, I think.')
  expect(a.filter(({ own }) => own).map(({ text }) => text)).toEqual(['think.'])
  expect(b.filter(({ own }) => own).map(({ text }) => text)).toEqual(['surely ', 'think so.'])
  const long = 'word '.repeat(700)
  expect(wordDiff(long, 'word')[0]).toEqual([{ text: long, own: false }])
  expect(wordDiff('', 'x')).toEqual([[], [{ text: 'x', own: true }]])
})

test('names and texts of a comparison stay text on the page and in Markdown', () => {
  const evil = '<script>alert(1)</script>'
  const answers = [
    { system: evil, text: `${evil} one two`, rewards: { [evil]: 1 } },
    { system: 'start', text: 'one three', rewards: { [evil]: 0 } },
  ]
  const report: EvalReport = {
    title: 'Comparison',
    judgements: [by(evil, 0.55, 0.65, { system: evil })],
    comparison: {
      systems: [{ name: evil, path: evil, kind: 'answers', answers: 1, made: 0 }],
      settings: [{ key: evil, values: [evil] }],
      verdicts: [],
      cases: [{ prompt: evil, answers, why: 'worst', note: evil, source: evil }],
    },
  }
  const html = renderEvalReport(report)
  expect(html).not.toContain('<script')
  expect(html).toContain('<mark>&lt;script&gt;alert(1)&lt;/script&gt; </mark>')
  expect(renderMarkdown(report).replaceAll(/```text\n[^`]*```/g, '')).not.toContain(evil)
})
