import * as fs from 'node:fs'
import { expect, test } from 'vitest'
import { EXIT } from '../../src/exit-codes.js'
import { formOf } from '../../src/judges/forms.js'
import { judgePairing } from '../../src/judges/judge-pairing.js'
import { createPace } from '../../src/judges/pace.js'
import { pairingsOf } from '../../src/judges/pairings.js'
import { standing } from '../../src/verdicts/standing.js'
import { itemsOf } from '../vote/ballots.js'
import { chat, honest, judging, partsOf } from './judges.js'

const TWO = { one: ['value 1', 'value 5', 'value 3'], two: ['value 2', 'value 4', 'value 3!'] }

test('every pair is asked in both orders, and both verdicts are kept as they were given', async () => {
  const { run, rows, asked } = await judging(TWO, ({ body }) => chat(honest(body)))
  const { result } = await run()
  expect(asked).toHaveLength(6)
  expect(rows().map(({ shown, verdict, systems }) => [shown, verdict, ...systems])).toEqual([
    ['ab', 'b', 'one', 'two'],
    ['ba', 'b', 'one', 'two'],
    ['ab', 'a', 'one', 'two'],
    ['ba', 'a', 'one', 'two'],
    ['ab', 'tie', 'one', 'two'],
    ['ba', 'tie', 'one', 'two'],
  ])
  const [first, second] = asked.map(({ body }) => partsOf(body))
  expect(first).toMatchObject({ request: 'Question 0?', 'answer A': 'value 1', 'answer B': 'value 2' })
  expect(second).toMatchObject({ 'answer A': 'value 2', 'answer B': 'value 1' })
  expect(result).toMatchObject({ judged: 6, errors: 0, requests: 6, pairs: [{ a: 2, b: 2, tie: 2 }] })
})

test('a second run sends nothing, and neither does a run into another record beside the same replies', async () => {
  const { run, file, rows, asked } = await judging(TWO, ({ body }) => chat(honest(body)))
  await run()
  const before = rows()
  expect((await run()).result).toMatchObject({ known: 6, judged: 0, requests: 0 })
  expect(rows()).toEqual(before)
  fs.rmSync(file)
  expect((await run()).result).toMatchObject({ known: 0, judged: 6, requests: 0 })
  expect(rows()).toEqual(before)
  expect(asked).toHaveLength(6)
})

test('other sampling settings are other questions', async () => {
  const { run, asked } = await judging(TWO, ({ body }) => chat(honest(body)))
  await run()
  const { said } = await run({ judgeTemperature: 0.7 })
  expect(asked).toHaveLength(12)
  expect(said).toContain('6 rows of "judge-1, helpful" under other settings')
})

test('a judge that always says A is one win for each order, not a verdict', async () => {
  const { run, rows } = await judging(TWO, () => chat('{"verdict": "A"}'))
  const { result } = await run()
  expect(rows().map(({ shown, verdict }) => `${shown} ${verdict}`)).toEqual([
    'ab a',
    'ba b',
    'ab a',
    'ba b',
    'ab a',
    'ba b',
  ])
  expect(result).toMatchObject({ pairs: [{ a: 3, b: 3, winRate: 0.5 }] })
})

test('prose is asked once more, then counted as an error and never as a tie', async () => {
  const { run, rows, asked } = await judging({ one: ['1'], two: ['2'] }, ({ body }) =>
    chat(
      body.messages.length > 2
        ? 'I prefer the first.'
        : partsOf(body)['answer A'] === '1'
          ? 'Both are fine.'
          : '{"verdict": "A"}',
    ),
  )
  const { result, said } = await run()
  expect(asked).toHaveLength(3)
  expect(asked.find(({ body }) => body.messages.length > 2)?.body.messages.slice(2)).toEqual([
    { role: 'assistant', content: 'Both are fine.' },
    { role: 'user', content: expect.stringContaining('That holds no verdict') },
  ])
  expect(result).toMatchObject({ judged: 2, errors: 1, pairs: [{ a: 0, b: 1, tie: 0 }] })
  expect(rows()[0]).toMatchObject({
    verdict: 'error',
    comment: 'no verdict in the reply "I prefer the first."',
  })
  expect(said).toContain('1 pairing without a verdict')
  expect((await run()).result).toMatchObject({ requests: 0, errors: 1 })
  expect(rows()).toHaveLength(2)
})

test('a reply that is JSON at the second attempt is repaired into a verdict', async () => {
  const { run } = await judging({ one: ['1'], two: ['2'] }, ({ body }) =>
    chat(body.messages.length > 2 ? honest(body) : '{"reason": "cut of'),
  )
  expect((await run()).result).toMatchObject({ errors: 0, pairs: [{ b: 2 }], requests: 4 })
})

test('refusals are errors that say so', async () => {
  const { run, rows } = await judging(TWO, ({ body }) =>
    partsOf(body).request === 'Question 1?'
      ? chat('', { choices: [{ message: { content: null, refusal: 'I must not.' }, finish_reason: 'stop' }] })
      : chat(honest(body)),
  )
  expect((await run()).result).toMatchObject({ errors: 2, pairs: [{ a: 0, b: 2, tie: 2 }] })
  expect(rows()[2]).toMatchObject({ verdict: 'error', comment: 'refused: I must not.' })
})

test('a judge that gives no verdict at all ends in exit 2, naming what it said', async () => {
  const { run } = await judging(TWO, () => chat("I'm sorry, I can't help with that."))
  await expect(run()).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: `judge-1, helpful gave no verdict in 6 pairings: no verdict in the reply "I'm sorry, I can't help with that."`,
  })
})

test('a reply of another model ends the run; a dated version of the same one does not', async () => {
  const wrong = await judging(TWO, ({ body }) => chat(honest(body), { model: 'judge-1-mini' }))
  await expect(wrong.run()).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('asked for "judge-1", and "judge-1-mini" answered'),
  })
  expect(wrong.rows()).toEqual([])
  expect((await wrong.run({ judgeAnswersAs: 'judge-1-mini' })).result).toMatchObject({ judged: 6 })
  const dated = await judging(TWO, ({ body }) => chat(honest(body), { model: 'org/Judge-1-2026-10-01' }))
  expect((await dated.run()).result).toMatchObject({ judged: 6, errors: 0 })
})

test('what stalls or breaks off is an error of its pairing, and the next run asks for it again', async () => {
  let broken = true
  const { run, rows } = await judging(
    TWO,
    ({ body }, response) => {
      const { request } = partsOf(body)
      if (broken && request === 'Question 1?') return void setTimeout(() => response.end(), 3000).unref()
      if (broken && request === 'Question 2?') return void response.end('{"model": "judge-1", "choi')
      return chat(honest(body))
    },
    { judgeTimeout: 0.2, judgeRetries: 0, judgeConcurrency: 2 },
  )
  const { result } = await run()
  expect(result).toMatchObject({ judged: 6, errors: 4, pairs: [{ a: 0, b: 2 }] })
  expect(rows().map(({ comment }) => comment)).toEqual([
    ...[undefined, undefined],
    ...[1, 2].map(() => 'no answer within 0.2 s'),
    ...[1, 2].map(() => 'the answer is no JSON: "{\\"model\\": \\"judge-1\\", \\"choi"'),
  ])
  broken = false
  expect((await run()).result).toMatchObject({
    known: 2,
    judged: 4,
    errors: 0,
    requests: 4,
    pairs: [{ a: 2, b: 2, tie: 2 }],
  })
  expect(standing(rows()).errors).toEqual([])
})

test('a server that never answers ends in exit 4, and one that goes away keeps what came', async () => {
  const dead = await judging(TWO, (_, response) => void response.writeHead(503).end('overloaded'), {
    judgeRetries: 0,
  })
  await expect(dead.run()).rejects.toMatchObject({
    exitCode: EXIT.resources,
    message: expect.stringContaining('HTTP 503: overloaded'),
  })
  const many = {
    one: Array.from({ length: 20 }, (_, i) => `${i}`),
    two: Array.from({ length: 20 }, () => '50'),
  }
  const gone = await judging(
    many,
    ({ body }, response, n) => (n > 10 ? void response.writeHead(400).end('gone') : chat(honest(body))),
    { judgeConcurrency: 1 },
  )
  await expect(gone.run()).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('gone'),
  })
  expect(standing(gone.rows()).judged).toHaveLength(10)
})

test('the cap ends the run with no more spent than the requests under way cost', async () => {
  const many = {
    one: Array.from({ length: 30 }, (_, i) => `${i}`),
    two: Array.from({ length: 30 }, () => '50'),
  }
  const prices = { judgePromptPrice: 1, judgeReplyPrice: 10, judgeConcurrency: 3 }
  const { run, asked } = await judging(many, ({ body }) => chat(honest(body)), {
    ...prices,
    judgeMaxCost: 0.02,
  })
  // Each request costs 1000 x 1 + 100 x 10 millionths: 0.002.
  const { result, exitCode, said } = await run()
  expect(exitCode).toBe(EXIT.resources)
  expect(asked.length).toBeGreaterThanOrEqual(10)
  expect(asked.length).toBeLessThanOrEqual(12)
  expect(result.cost).toBeCloseTo(asked.length * 0.002, 10)
  expect(result.left).toBe(60 - asked.length)
  expect(said).toContain('judge_max_cost is reached')
  const before = asked.length
  await run()
  expect(asked).toHaveLength(before)
  expect((await run({ judgeMaxCost: 1 })).result).toMatchObject({ left: 0, known: before, errors: 0 })
  expect(asked).toHaveLength(60)
})

test('a cost estimate is said before, and with --estimate nothing is sent', async () => {
  const { run, asked, file } = await judging(TWO, () => chat('{"verdict": "A"}'))
  const { result, said } = await run({
    estimate: true,
    judgePromptPrice: 2,
    judgeReplyPrice: 4,
    judgeMaxTokens: 500,
  })
  const { promptTokens, cost } = result as { promptTokens: number; cost: { least: number; most: number } }
  expect(result).toMatchObject({ requests: 6, mostReplyTokens: 3000 })
  expect(promptTokens).toBeGreaterThan(6 * 200)
  expect(promptTokens).toBeLessThan(6 * 500)
  expect(cost.least).toBeCloseTo((promptTokens * 2) / 1e6, 10)
  expect(cost.most).toBeCloseTo((promptTokens * 2 + 3000 * 4) / 1e6, 10)
  expect(said).toContain('estimate  6 requests')
  expect(asked).toEqual([])
  expect(fs.existsSync(file)).toBe(false)
})

test('Retry-After holds back every request', async () => {
  const times: number[] = []
  const { run } = await judging(
    TWO,
    ({ body }, response, n) => {
      times.push(performance.now())
      return n === 1 ? void response.writeHead(429, { 'retry-after': '0.4' }).end() : chat(honest(body))
    },
    { judgeConcurrency: 1 },
  )
  expect((await run()).result).toMatchObject({ judged: 6, errors: 0 })
  expect(times[1] - times[0]).toBeGreaterThan(390)
})

test('a limit a minute spaces requests, and a rest holds back all of them', async () => {
  let time = 0
  const clock = {
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds
    },
  }
  const pace = createPace(120, clock)
  const begun: number[] = []
  for (let n = 0; n < 4; n++) {
    if (n === 3) pace.rest(5000)
    await pace.turn()
    begun.push(time)
  }
  expect(begun).toEqual([0, 500, 1000, 6000])
})

test('single grades: each answer is asked once, and the higher grade wins', async () => {
  const three = { one: ['3', '8'], two: ['5', '8'], three: ['9', '1'] }
  const { run, rows, asked } = await judging(
    three,
    ({ body }) => chat(JSON.stringify({ reason: '', score: Number(partsOf(body).answer) })),
    { judgeMode: 'single', judgePairs: 'first' },
  )
  await run()
  // The two equal answers to the second prompt are a tie that needs no grade; 8 is asked for beside 1.
  expect(asked.map(({ body }) => partsOf(body).answer).sort()).toEqual(['1', '3', '5', '8', '9'])
  expect(rows().map(({ systems, verdict, grade }) => [systems[1], verdict, grade])).toEqual([
    ['two', 'b', [3, 5]],
    ['three', 'b', [3, 9]],
    ['two', 'tie', undefined],
    ['three', 'a', [8, 1]],
  ])
})

test('fields of the request can be added and taken out', async () => {
  const { run, asked } = await judging(TWO, ({ body }) => chat(honest(body)), {
    judgeBody: '{max_tokens: null, max_completion_tokens: 300, reasoning_effort: low}',
    judgeResponseFormat: 'json_schema',
  })
  await run()
  expect(asked[0].body).toMatchObject({
    model: 'judge-1',
    temperature: 0,
    max_completion_tokens: 300,
    reasoning_effort: 'low',
  })
  expect(asked[0].body.max_tokens).toBeUndefined()
  expect(asked[0].body.response_format.json_schema.schema.properties.verdict.enum).toEqual([
    'A',
    'B',
    'tie',
    'both_bad',
  ])
})

test('a reference is shown where there is one', async () => {
  const { run, folder, asked } = await judging(TWO, ({ body }) => chat(honest(body)))
  fs.writeFileSync(`${folder}/good.jsonl`, '{"prompt": "Question 1?", "answer": "value 6"}\n')
  await run({ reference: `${folder}/good.jsonl` })
  const shown = asked.map(({ body }) => partsOf(body))
  expect(shown.map((parts) => parts['reference answer'])).toEqual(
    shown.map((parts) => (parts.request === 'Question 1?' ? 'value 6' : undefined)),
  )
})

test('a reference that the template does not show is refused, and so is one that no item has', async () => {
  const { run, folder } = await judging(TWO, ({ body }) => chat(honest(body)))
  fs.writeFileSync(`${folder}/good.jsonl`, '{"prompt": "Question 1?", "answer": "value 6"}\n')
  await expect(
    run({ reference: `${folder}/good.jsonl`, judgeTemplate: 'alpaca-eval' }),
  ).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: 'judge_reference has no effect: judge_template alpaca-eval shows no reference',
  })
  await expect(run({ judgeReference: true })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: 'judge_reference: no item has a reference answer',
  })
})

test('a judge is tested by known pairs, which count in no win rate', async () => {
  const [item] = itemsOf(1, ['gold, better', 'gold, worse'])
  const pairings = pairingsOf([{ ...item, gold: 'a' }], { pairs: 'all', orders: 'both' })
  const form = formOf('helpful', 'pairwise')
  const bench = { form, mode: 'pairwise', guided: false, rater: 'r', settings: 's', secret: 'k' } as const
  const reply = {
    key: '',
    model: '',
    text: '{"verdict": "A"}',
    tokens: { prompt: 1, reply: 1 },
    milliseconds: 1,
    at: '',
  }
  const rows = await Promise.all(pairings.map((p) => judgePairing({ ask: async () => reply }, p, bench)))
  expect(rows.map(({ verdict, gold }) => [verdict, gold])).toEqual([
    ['a', 'a'],
    ['b', 'a'],
  ])
})

test('after a kill at any place, what is on the disk is not asked for again', async () => {
  const { run, rows, file, asked } = await judging(TWO, ({ body }) => chat(honest(body)))
  await run()
  const [replies, record] = [`${file}.replies`, file].map((path) => fs.readFileSync(path, 'utf8'))
  const verdicts = rows().map(({ at: _, ...row }) => ({ ...row, milliseconds: 0 }))
  // Whole lines of replies, with and without a line that was cut; the record is at most as far.
  for (const [kept, torn, written] of [
    [0, true, 0],
    [3, false, 1],
    [3, true, 3],
    [6, false, 2],
  ] as const) {
    const lines = replies.split('\n')
    fs.writeFileSync(
      `${file}.replies`,
      `${lines.slice(0, 1 + kept).join('\n')}\n${torn ? lines[1 + kept].slice(0, 40) : ''}`,
    )
    fs.writeFileSync(
      file,
      `${record
        .split('\n')
        .slice(0, 4 + written)
        .join('\n')}\n${written === 3 ? '{"item":"e' : ''}`,
    )
    const before = asked.length
    expect((await run()).result).toMatchObject({ known: written, judged: 6 - written, requests: 6 - kept })
    expect(asked).toHaveLength(before + 6 - kept)
    expect(rows().map(({ at: _, ...row }) => ({ ...row, milliseconds: 0 }))).toEqual(verdicts)
  }
})
