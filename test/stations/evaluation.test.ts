import { beforeAll, expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { evaluationSet } from '../../src/evaluate/evaluation-set.js'
import { loadLanguageModel } from '../../src/load/language-model.js'
import { loadScoringModel } from '../../src/load/scoring-model.js'
import { openSession, type Session } from '../../src/session/session.js'
import { answerPrompts, trimAnswer } from '../../src/stations/answer/answer.js'
import { type AnsweredText, decodingName, evaluateSystems } from '../../src/stations/evaluate/evaluation.js'
import { meanScorer, modelScorer, type Scorer } from '../../src/stations/evaluate/scorers.js'

import { memory } from '../../src/tensor/index.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { call, type Files, pairs, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

let files: Files
let session: Session
beforeAll(async () => {
  files = await writeFiles(tempFolder('evaluation'))
  const { config, ui } = await call({ modelNameOrPath: files.model })
  session = await openSession(config, ui)
})

const prompts = pairs.map(({ prompt }) => prompt as Message[])
const answer = (text: string, tokens = 1): AnsweredText => ({ text, tokens, finishReason: 'stop' })
const length: Scorer = { name: 'reward', score: async (_, answers) => answers.map((text) => text.length) }

test('an answer does not depend on the prompts beside it, greedy or sampled', async () => {
  const lm = await loadLanguageModel(files.model, 'f32')
  for (const temperature of [0, 1]) {
    const all = await answerPrompts(session, lm, prompts, { temperature })
    const backwards = await answerPrompts(session, lm, prompts.toReversed(), { temperature, batchSize: 2 })
    expect(backwards.toReversed()).toEqual(all)
    expect((await answerPrompts(session, lm, [prompts[3]], { temperature }))[0]).toEqual(all[3])
  }
  lm.model.dispose()
})

test('the same prompt twice gets two samples', async () => {
  const lm = await loadLanguageModel(files.model, 'f32')
  const [a, b] = await answerPrompts(session, lm, [prompts[0], prompts[0]], { temperature: 1 })
  expect(a.text).not.toBe(b.text)
  lm.model.dispose()
})

test('a reward model is refused as one that answers, a language model as one that judges', async () => {
  const reward = await loadLanguageModel(files.reward, 'f32')
  await expect(answerPrompts(session, reward, prompts)).rejects.toThrow("a reward model, it can't generate")
  const judge = loadScoringModel(files.model, { dtype: 'f32' })
  await expect(judge).rejects.toThrow('a language model, not a reward model')
  reward.model.dispose()
})

test('every answer has a score of its own, the empty one too, and no tensor is left behind', async () => {
  const lm = await loadScoringModel(files.reward, { dtype: 'f32' })
  const scorer = modelScorer(session, 'reward', lm)
  const asked = [prompts[0], prompts[0], prompts[1], 'The sky']
  const texts = ['', 'It is blue.', '', ' is blue']
  const scores = await scorer.score(asked, texts)
  const before = memory().tensors
  expect(await scorer.score(asked.toReversed(), texts.toReversed())).toEqual(scores.toReversed())
  expect(memory().tensors).toBe(before)
  expect(scores.every(Number.isFinite)).toBe(true)
  expect(new Set(scores).size).toBe(4)
  expect(await scorer.score([], [])).toEqual([])
  lm.model.dispose()
})

test('the mean of fold models is the mean of r / T', async () => {
  const constant = (value: number): Scorer => ({ name: 'fold', score: async (_, a) => a.map(() => value) })
  const scorer = meanScorer('reward', [constant(3), constant(-1)], [2, 0.5])
  // (3 / 2 - 1 / 0.5) / 2 = -0.25
  expect(await scorer.score([prompts[0]], ['x'])).toEqual([-0.25])
  expect(scorer.name).toBe('reward')
})

test('rewards, wins, lengths and differences by hand', async () => {
  const { report, samples, evaluations } = await evaluateSystems(session, {
    prompts: prompts.slice(0, 3),
    sources: ['a', 'b', 'a'],
    references: ['x', 'y', 'z'],
    systems: [
      { name: 'start', decoding: 'greedy', answers: [answer('aaaa', 4), answer('b', 2), answer('c', 6)] },
      { name: 'clha', decoding: 'greedy', answers: [answer('aa', 1), answer('b', 1), answer('ccc', 1)] },
    ],
    scorers: [length],
    baseline: 'start',
    trueReward: (i, text) => i + text.length / 10,
  })
  const row = (system: string, source: string) =>
    report.rows.find((r) => r.system === system && r.source === source)!
  expect(row('start', 'total').reward!.value).toBeCloseTo(2, 12)
  expect(row('clha', 'total').trueReward!.value).toBeCloseTo(1 + 0.2, 12)
  expect(row('clha', 'total').againstStart).toMatchObject({ wins: 1, ties: 1, losses: 1 })
  expect(row('clha', 'a').againstStart).toMatchObject({ wins: 1, ties: 0, losses: 1 })
  expect(row('start', 'total').length!.value).toBe(4)
  expect(row('start', 'a').length!.value).toBe(5)
  expect(row('start', 'b').length!.value).toBe(2)
  expect(report.differences).toHaveLength(1)
  expect(report.differences![0]).toMatchObject({ a: 'clha', b: 'start', metric: 'true reward' })
  expect(report.differences![0].difference.value).toBeCloseTo(0, 12)
  expect(report.agreement!.map(({ a, b }) => [a, b])).toEqual([
    ['true', 'reward'],
    ['true', 'reward'],
  ])
  expect(samples[0].answers[1]).toEqual({ system: 'clha', text: 'aa', rewards: { true: 0.2, reward: 2 } })
  expect(evaluations.map(({ system }) => system)).toEqual(['start', 'clha'])
})

test('a sampled system is compared with the sampled baseline', async () => {
  const system = (name: string, decoding: string, text: string) => ({
    name,
    decoding,
    answers: [answer(text)],
  })
  const { report, samples } = await evaluateSystems(session, {
    prompts: [prompts[0]],
    sources: ['a'],
    systems: [
      system('start', 'greedy', 'a'),
      system('start', 'sampled', 'aaaa'),
      system('clha', 'greedy', 'aa'),
      system('clha', 'sampled', 'aa'),
    ],
    scorers: [length],
    baseline: 'start',
  })
  const duel = (decoding: string) =>
    report.rows.find((r) => r.system === 'clha' && r.source === 'total' && r.decoding === decoding)!
      .againstStart
  expect(duel('greedy')).toMatchObject({ wins: 1, losses: 0 })
  expect(duel('sampled')).toMatchObject({ wins: 0, losses: 1 })
  expect(report.differences!.map(({ a, b }) => [a, b])).toEqual([
    ['clha (greedy)', 'start (greedy)'],
    ['clha (sampled)', 'start (sampled)'],
  ])
  expect(samples[0].answers.map((s) => s.system)).toContain('start (sampled)')
})

test("an answer loses the template's leading space and what trails, literal text only the latter", async () => {
  const hh = await chatTemplate(await loadTokenizer(files.model), 'hh')
  expect(trimAnswer(' It is blue. \n', prompts[0], hh)).toBe('It is blue.')
  expect(trimAnswer('  two', prompts[0], hh)).toBe(' two')
  expect(trimAnswer(' is blue\n', 'The sky', hh)).toBe(' is blue')
})

test('an evaluation set has each prompt once; its references are the preferred answers', () => {
  const example = (id: string, content: string, preferred: number) => ({
    id,
    prompt: [{ role: 'user' as const, content }],
    candidates: [{ text: `${id} first` }, { text: `${id} second` }],
    preferences: [{ better: preferred, worse: 1 - preferred }],
    source: 's',
    file: 'f',
    row: 1,
  })
  const set = evaluationSet([example('a', 'one', 1), example('b', 'one', 0), example('c', 'two', 0)], 10, 42)
  expect(set.references?.toSorted()).toEqual(['a second', 'c first'])
  const ranked = {
    ...example('d', 'x', 0),
    candidates: [
      { text: 'p', reward: 1 },
      { text: 'q', reward: 2 },
    ],
    preferences: [],
  }
  expect(evaluationSet([ranked], 1, 42).references).toEqual(['q'])
})

test('eval, align and compare call a decoding alike', () => {
  expect([0, 1, 0.7].map(decodingName)).toEqual([
    'greedy',
    'sampled at temperature 1',
    'sampled at temperature 0.7',
  ])
})
