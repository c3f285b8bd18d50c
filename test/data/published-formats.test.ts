/** Layouts in which preference data is published: what each becomes, figures by hand. */
import { describe, expect, test } from 'vitest'
import { readExamples } from '../../src/data/read/read-examples.js'
import { dataFile, jsonl, type Row } from './files.js'

const user = (content: string) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })
const system = (content: string) => ({ role: 'system', content })

const read = async (row: Row, options = {}) =>
  (await readExamples(dataFile(jsonl([row])), { minCandidates: 1, ...options })).examples[0]
/** `b>a` as [1, 0]. */
const verdicts = async (row: Row, options = {}) =>
  (await read(row, options)).preferences.map(({ better, worse }) => [better, worse])

describe('ranked lists', () => {
  test('Alpaca: output is a ranking of any length, the best first', async () => {
    const { prompt, candidates, preferences } = await read({
      instruction: 'Hi',
      output: ['a', 'b', 'c', 'd'],
    })
    expect(prompt).toEqual([user('Hi')])
    expect(candidates.map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
    expect(preferences.map(({ better, worse }) => `${better}${worse}`)).toEqual([
      '01',
      '02',
      '03',
      '12',
      '13',
      '23',
    ])
  })

  test('Nectar: rank 1 is the best, the transcript becomes turns', async () => {
    const row = await read({
      prompt: '\n\nHuman: Name a fruit.\n\nAssistant: ',
      answers: [
        { answer: 'Apple.', model: 'm1', rank: 1.0 },
        { answer: 'Car.', model: 'm2', rank: 3.0 },
        { answer: 'Pear.', model: 'm3', rank: 2.0 },
      ],
      source: ['set'],
    })
    expect(row.prompt).toEqual([user('Name a fruit.')])
    expect(row.candidates).toEqual([
      { text: 'Apple.', origin: 'm1' },
      { text: 'Car.', origin: 'm2' },
      { text: 'Pear.', origin: 'm3' },
    ])
    expect(row.preferences).toEqual([
      { better: 0, worse: 1 },
      { better: 0, worse: 2 },
      { better: 2, worse: 1 },
    ])
  })

  test('UltraFeedback in full: the overall score is the reward', async () => {
    const { prompt, candidates } = await read({
      source: 'evol',
      instruction: 'Hi',
      models: ['x', 'y'],
      completions: [
        { model: 'x', response: 'a', overall_score: 7.5, 'fine-grained_score': 4, annotations: {} },
        { model: 'y', response: 'b', overall_score: 3, 'fine-grained_score': 2, annotations: {} },
      ],
    })
    expect(prompt).toEqual([user('Hi')])
    expect(candidates).toEqual([
      { text: 'a', reward: 7.5, origin: 'x' },
      { text: 'b', reward: 3, origin: 'y' },
    ])
  })

  test('numbers under other names do not stand in for a missing score: they are in another unit', async () => {
    const { candidates } = await read({
      instruction: 'Hi',
      completions: [
        { response: 'a', overall_score: 7.5, 'fine-grained_score': 4 },
        { response: 'b', overall_score: null, 'fine-grained_score': 2 },
      ],
    })
    expect(candidates).toEqual([{ text: 'a', reward: 7.5 }, { text: 'b' }])
  })

  test('text[2] and score[2], without a prompt', async () => {
    const { prompt, candidates } = await read({ text: ['a', 'b'], score: [1, 0.5] })
    expect(prompt).toBe('')
    expect(candidates.map(({ reward }) => reward)).toEqual([1, 0.5])
  })

  test('a map of answers with ranks of the same keys', async () => {
    const map = { query: 'Q', answers: { x: 'a', y: 'b', z: 'c' }, ranks: { z: 1, x: 2 } }
    expect(await verdicts(map)).toEqual([[2, 0]])
    const lacking = { query: 'Q', answers: { x: 'a', y: 'b' }, scores: { x: 1 } }
    await expect(read(lacking)).rejects.toThrow('scores has no number for "y"')
  })

  test('a missing score is null or NaN; the others stay', async () => {
    const file = dataFile('{"prompt": "Q", "completions": ["a", "b", "c"], "rewards": [1, NaN, null]}\n')
    const { examples } = await readExamples(file)
    expect(examples[0].candidates).toEqual([{ text: 'a', reward: 1 }, { text: 'b' }, { text: 'c' }])
    const pair = await read({
      prompt: 'Q',
      chosen: 'a',
      rejected: 'b',
      score_chosen: 'NaN',
      score_rejected: 2,
    })
    expect(pair.candidates.map(({ reward }) => reward)).toEqual([undefined, 2])
    const columns = {
      prompt: 'Q',
      response_a: 'a',
      response_b: 'b',
      score_a: 'nan',
      score_b: '2',
      label: 'A',
    }
    expect((await read(columns)).candidates.map(({ reward }) => reward)).toEqual([undefined, 2])
    const lists = { prompt: 'Q', chosen: ['a', 'b'], rejected: ['c'], score_chosen: [1, 'NaN'] }
    expect((await read(lists)).candidates.map(({ reward }) => reward)).toEqual([1, undefined, undefined])
  })
})

describe('partial orders', () => {
  test('every chosen answer is better than every rejected one', async () => {
    const row = { prompt: [user('Hi')], chosen: ['a', 'b'], rejected: ['c', 'd'], score_chosen: [2, 1] }
    const { candidates, preferences } = await read(row)
    expect(candidates.map(({ text, reward }) => [text, reward])).toEqual([
      ['a', 2],
      ['b', 1],
      ['c', undefined],
      ['d', undefined],
    ])
    expect(preferences.map(({ better, worse }) => [better, worse])).toEqual([
      [0, 2],
      [0, 3],
      [1, 2],
      [1, 3],
    ])
  })

  test('each answer may be a list of one message', async () => {
    const row = {
      prompt: [user('Hi')],
      chosen: [[assistant('a')], [assistant('b')]],
      rejected: [[assistant('c')]],
    }
    expect((await read(row)).candidates.map(({ text }) => text)).toEqual(['a', 'b', 'c'])
  })
})

describe('answers in columns of their own', () => {
  const ab = { prompt: 'Q', response_a: 'one', response_b: 'two' }
  test.each<[string, unknown, number[][]]>([
    ['a letter', 'a', [[0, 1]]],
    ['the column', 'response_b', [[1, 0]]],
    ['a model', 'model_b', [[1, 0]]],
    ['an assistant', 'Assistant A', [[0, 1]]],
    ['a comparison', 'A>B', [[0, 1]]],
    ['a strong one, in brackets', '[[B>>A]]', [[1, 0]]],
    ['one that points the other way', 'A < B', [[1, 0]]],
    ['equality', 'A=B', []],
    ['a tie', 'tie', []],
    ['LMSYS: both bad', 'tie (bothbad)', []],
    ['an ordinal', 'second', [[1, 0]]],
    ['the better text', 'two', [[1, 0]]],
    ['a number, from 0', 1, [[1, 0]]],
    ['three annotators', ['A', 'B', 'A'], [[0, 1]]],
    ['two annotators who differ', ['A', 'B'], []],
    ['votes', { a: 2, b: 5 }, [[1, 0]]],
  ])('label: %s', async (_, label, expected) => {
    expect(await verdicts({ ...ab, label })).toEqual(expected)
  })

  test.each<[string, Row, number[][]]>([
    ['AlpacaFarm', { instruction: 'Do', input: 'it', output_1: 'a', output_2: 'b', preference: 2 }, [[1, 0]]],
    ['numbers from 0', { prompt: 'Q', response_0: 'a', response_1: 'b', better_response_id: 1 }, [[1, 0]]],
    [
      'three answers',
      { question: 'Q', answer_1: 'a', answer_2: 'b', answer_3: 'c', label: '2>1=3' },
      [
        [1, 0],
        [1, 2],
      ],
    ],
    [
      'LMSYS',
      {
        prompt: '["Q"]',
        response_a: '["a"]',
        response_b: '["b"]',
        winner_model_a: 0,
        winner_model_b: 1,
        winner_tie: 0,
      },
      [[1, 0]],
    ],
    [
      'LMSYS, a tie',
      {
        prompt: '["Q"]',
        response_a: '["a"]',
        response_b: '["b"]',
        winner_model_a: 0,
        winner_model_b: 0,
        winner_tie: 1,
      },
      [],
    ],
    [
      'LMSYS as a table of truth values',
      { ...ab, winner_model_a: 'False', winner_model_b: 'True', winner_tie: 'False' },
      [[1, 0]],
    ],
    ['the winner by its model', { ...ab, model_a: 'x', model_b: 'y', winner: 'y' }, [[1, 0]]],
    ['votes of annotators, -3 to 3', { ...ab, overall_preference: 2 }, [[1, 0]]],
    [
      'HelpSteer 2, no preference',
      { prompt: 'Q', response_1: 'a', response_2: 'b', preference_strength: 0 },
      [],
    ],
    ['SHP: B has more', { history: 'Hi', human_ref_A: 'a', human_ref_B: 'b', labels: 0 }, [[1, 0]]],
  ])('%s', async (_, row, expected) => expect(await verdicts(row)).toEqual(expected))

  test('messages, two answers, their rewards', async () => {
    const row = { messages: [user('Hi')], response_1: 'a', response_2: 'b', reward_1: 0.5, reward_2: '2' }
    const { prompt, candidates } = await read(row)
    expect(prompt).toEqual([user('Hi')])
    expect(candidates).toEqual([
      { text: 'a', reward: 0.5 },
      { text: 'b', reward: 2 },
    ])
  })

  test.each([
    { prompt: 'Q', chosen_response: 'a', rejected_response: 'b' },
    { question: 'Q', response_chosen: 'a', response_rejected: 'b' },
    { input: 'Q', output_chosen: 'a', output_rejected: 'b' },
    { query: 'Q', good: 'a', bad: 'b' },
    { prompt: 'Q', y_w: 'a', y_l: 'b' },
    { messages: [user('Q')], preferred: 'a', dispreferred: 'b' },
  ])('a pair under other names: %j', async (row) => {
    const { candidates, preferences } = await read(row, { minCandidates: 2 })
    expect(candidates.map(({ text }) => text)).toEqual(['a', 'b'])
    expect(preferences).toEqual([{ better: 0, worse: 1 }])
  })

  test('a system column that is no text, or says otherwise than the dialogue, is a fault', async () => {
    const asked = { chosen: [assistant('a')], rejected: [assistant('b')] }
    const own = [system('A'), user('Q')]
    expect((await read({ ...asked, prompt: own, system: ' A\n' })).prompt).toEqual(own)
    await expect(read({ ...asked, prompt: own, system: 'B' })).rejects.toThrow(
      "system and the dialogue's own system turn differ; columns: {system: null}",
    )
    expect(
      (await read({ ...asked, prompt: own, system: 'B' }, { columns: { system: null } })).prompt,
    ).toEqual(own)
    await expect(read({ ...asked, prompt: [user('Q')], system: ['A'] })).rejects.toThrow(
      'system is an array, not a string',
    )
  })

  test('where labels are learned, one answer without a label is told as that', async () => {
    const rows = dataFile(
      jsonl([
        { prompt: 'Q', completion: 'a', label: true },
        { prompt: 'R', completion: 'b' },
      ]),
    )
    await expect(readExamples(rows, { minCandidates: 2, unpaired: true })).rejects.toThrow(
      /rows\.jsonl:2 .*one answer and no label/s,
    )
  })

  test('HelpSteer 2 as published: neighbours with one prompt are a list, ranked by helpfulness', async () => {
    const row = (prompt: string, response: string, helpfulness: number, coherence: number) => ({
      prompt,
      response,
      helpfulness,
      correctness: 3,
      coherence,
      complexity: 1,
      verbosity: 1,
    })
    const rows = [
      row('Q', 'a', 1, 4),
      row('Q', 'b', 3, 2),
      row('One\n<extra_id_1>Assistant\nTwo\n<extra_id_1>User\nThree', 'c', 2, 2),
      row('One\n<extra_id_1>Assistant\nTwo\n<extra_id_1>User\nThree', 'd', 2, 1),
    ]
    const file = dataFile(jsonl(rows))
    const { examples, report } = await readExamples(file)
    expect(examples).toMatchObject([
      {
        row: 1,
        prompt: [user('Q')],
        candidates: [
          { text: 'a', reward: 1 },
          { text: 'b', reward: 3 },
        ],
        preferences: [{ better: 1, worse: 0 }],
      },
      { row: 3, prompt: [user('One'), assistant('Two'), user('Three')], preferences: [] },
    ])
    expect(report).toMatchObject({ rows: 2, kept: 2, formats: { listwise: 2 } })
    expect((await readExamples(file, { minCandidates: 1, unpaired: true })).examples).toEqual(examples)
    const named = { prompt: 'prompt', completion: 'response' }
    const single = await readExamples(file, { minCandidates: 1, columns: named })
    expect(single.examples.map(({ candidates }) => candidates[0].text)).toEqual(['a', 'b', 'c', 'd'])
    const other = await readExamples(file, { rewardColumn: 'coherence' })
    expect(other.examples.map(({ preferences }) => preferences)).toEqual([
      [{ better: 0, worse: 1 }],
      [{ better: 0, worse: 1 }],
    ])
  })

  test('HelpSteer 2: a prompt with one answer, and a broken row between two, are told of', async () => {
    const row = (prompt: string, response: string) => ({ prompt, response, helpfulness: 1 })
    const file = dataFile(`${jsonl([row('Q', 'a'), row('Q', 'b')])}{"prompt": \n${jsonl([row('R', 'c')])}`)
    const { examples, report } = await readExamples(file, { skipBad: true, maxDropped: 0.5 })
    expect(examples).toHaveLength(1)
    expect(report.faults).toMatchObject([
      { row: 3, code: 'bad_json' },
      { row: 4, code: 'too_few_answers' },
    ])
  })

  test('HelpSteer 3: below 0 the first is better', async () => {
    const row = { context: [user('Hi')], response1: 'a', response2: 'b', overall_preference: -3 }
    expect(await read(row)).toMatchObject({ prompt: [user('Hi')], preferences: [{ better: 0, worse: 1 }] })
  })

  test('Arena: whole conversations, and those that differ before the end', async () => {
    const row = {
      conversation_a: [user('Hi'), assistant('a')],
      conversation_b: [user('Hi'), assistant('b')],
      winner: 'model_b',
    }
    expect(await read(row)).toMatchObject({ prompt: [user('Hi')], preferences: [{ better: 1, worse: 0 }] })
    const other = { ...row, conversation_b: [user('Ho'), assistant('b')] }
    await expect(read(other)).rejects.toThrow('differ before the answer')
  })

  test('WebGPT: the question is an object', async () => {
    const row = {
      question: { dataset: 'x', full_text: 'Hi?' },
      answer_0: 'a',
      answer_1: 'b',
      score_0: -1,
      score_1: 1,
    }
    expect(await read(row)).toMatchObject({
      prompt: [user('Hi?')],
      candidates: [{ reward: -1 }, { reward: 1 }],
    })
  })

  test.each<[unknown, string]>([
    [null, 'label is null: it does not say which answer is better'],
    ['', 'label is empty'],
    ['C', 'label is "C"; it has to name one of response_a, response_b'],
    [2, 'label is 2; it has to name one of response_a, response_b'],
    [true, 'label is true; it has to name one of'],
    [['A', null], 'label[1] is null'],
  ])('a label %j is a fault', async (label, message) => {
    await expect(read({ ...ab, label })).rejects.toThrow(message)
  })

  const shp = { history: 'Hi', human_ref_A: 'a', human_ref_B: 'b' }
  const marks = (a: unknown, b: unknown, tie: unknown) => ({
    ...ab,
    winner_model_a: a,
    winner_model_b: b,
    winner_tie: tie,
  })
  const list = { prompt: 'Q', completions: ['a', 'b'] }
  test.each<[string, Row, string]>([
    ['SHP without a label', { ...shp, labels: '' }, 'labels is "", not 1 (A is better) or 0 (B is)'],
    ['SHP with an odd one', { ...shp, labels: 2 }, 'labels is 2, not 1'],
    ['LMSYS with an odd mark', marks('yes', 0, 0), 'the winner mark of "a" is "yes", not 1 or 0'],
    ['LMSYS without a winner or a tie', marks(0, 0, 0), '0 answers are marked as the winner, and no tie'],
    ['LMSYS with two winners', marks(1, 1, 0), '2 answers are marked as the winner'],
    ['fewer votes than none', { ...list, votes: [-3, 0] }, 'votes[0] is -3: votes are counted from 0'],
    ['fewer by name', { ...list, votes: { a: 3, b: -1 } }, 'votes.b is -1: votes are counted from 0'],
    ['rewards as text', { ...list, rewards: [1, '2'] }, 'rewards[1] is "2", not a number'],
    ['ranks that are none', { ...list, ranks: [1, {}] }, 'ranks[1] is an object, not a number'],
    ['a score that is none', { ...ab, score_a: 'high', label: 'A' }, 'score_a is "high", not a number'],
  ])('%s is a fault that says what stands there', async (_, row, message) => {
    await expect(read(row)).rejects.toThrow(message)
  })

  test('a number that is in no column name is a fault, not a place', async () => {
    const row = { prompt: 'Q', output_1: 'a', output_2: 'b', preference: 0 }
    await expect(read(row)).rejects.toThrow('preference is 0; it has to name one of output_1, output_2')
  })
})
