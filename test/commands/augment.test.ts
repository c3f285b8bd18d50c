import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, test } from 'vitest'
import { augment } from '../../src/commands/augment/augment.js'
import { generatePipeline } from '../../src/commands/generate/generate.js'
import { EXIT } from '../../src/exit-codes.js'
import { fakeServer, lengths } from '../reward/fake-server.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('augment'))
}, 60_000)

interface Row {
  prompt: { content: string }[]
  completions: string[]
  models: string[]
  ranks: (number | null)[]
  rewards?: number[]
}

const rowsOf = (path: string): Row[] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

async function run(values: Record<string, unknown>) {
  const outputDir = (values.outputDir as string) ?? tempFolder('augmented')
  // A file of answers asks for none.
  const sampling = values.answersFile !== undefined && { maxNewTokens: undefined }
  const { config, ui, screen } = await call({ trainDataset: files.data, ...sampling, ...values, outputDir })
  const result = await augment(config, ui, typed())
  return { result, rows: rowsOf(result.outputFile), screen: screen(), outputDir }
}

const reply = (text: string, finish = 'stop') => ({
  choices: [{ message: { content: text }, finish_reason: finish }],
  usage: { completion_tokens: 3 },
})

test('answers of a local model stand behind the given ones, with their origin; labels and counts stay true', async () => {
  const { result, rows, screen } = await run({
    modelNameOrPath: files.model,
    numSamples: 3,
    temperature: 1,
    seed: 5,
  })
  expect(rows).toHaveLength(pairs.length)
  for (const [i, row] of rows.entries()) {
    expect(row.completions.slice(0, 2)).toEqual([pairs[i].chosen[0].content, pairs[i].rejected[0].content])
    expect(row.ranks).toEqual([1, 2, ...row.completions.slice(2).map(() => null)])
    for (const origin of row.models.slice(2)) expect(origin).toMatch(/model, temperature 1, seed 5$/)
  }
  const added = rows.reduce((sum, row) => sum + row.completions.length - 2, 0)
  const { asked, answers, kept, empty, duplicates } = result
  expect({ asked, answers, kept }).toEqual({ asked: 24, answers: 24, kept: added })
  expect(empty + duplicates.data + duplicates.sampled + kept).toBe(24)
  expect(screen).toContain(`${added} of 24 answers are new candidates`)
})

test('a run that was cut off goes on: known answers are not drawn again, and the file is the same', async () => {
  const values = { modelNameOrPath: files.model, numSamples: 2, temperature: 1 }
  const whole = await run(values)
  const side = readdirSync(whole.outputDir).find((name) => name.startsWith('sampled-')) as string
  const lines = readFileSync(join(whole.outputDir, side), 'utf8').split('\n')
  const outputDir = tempFolder('cut-off')
  // Seven whole answers, and one that a kill cut short.
  writeFileSync(join(outputDir, side), `${lines.slice(0, 7).join('\n')}\n`)
  appendFileSync(join(outputDir, side), lines[7].slice(0, 20))
  const again = await run({ ...values, outputDir })
  expect(again.result.known).toBe(7)
  expect(again.rows).toEqual(whole.rows)
})

test('a server that fails, is busy, hangs up and talks nonsense is asked again until every answer is there', async () => {
  process.env.CLHA_TEST_TOKEN = 'do not write me'
  const { url, asked } = await fakeServer(({ body }, response, n) => {
    if (n === 1) return void response.writeHead(503).end('{"error": {"message": "loading"}}')
    if (n === 2) return void response.writeHead(429, { 'retry-after': '0' }).end('{}')
    if (n === 3) return void response.destroy()
    if (n === 4) return void response.end('no json')
    return reply(
      `answer ${body.seed} to ${body.messages.at(-1).content}`,
      body.seed === 10 ? 'length' : 'stop',
    )
  })
  const { result, rows, outputDir } = await run({
    generationEndpoint: `${url}/v1`,
    generationEndpointModel: 'big-model',
    generationEndpointTokenEnv: 'CLHA_TEST_TOKEN',
    numSamples: 2,
    temperature: 0.7,
    seed: 10,
  })
  expect(asked.length).toBe(16 + 4)
  const { path, headers, body } = asked[6]
  expect(path).toBe('/v1/chat/completions')
  expect(headers.authorization).toBe('Bearer do not write me')
  expect(body).toMatchObject({ model: 'big-model', temperature: 0.7, max_tokens: 12, top_p: 1 })
  expect(result).toMatchObject({ asked: 16, known: 0, kept: 16, cut: 8, tokens: 48 })
  expect(rows[0].completions.slice(2)).toEqual([
    `answer 10 to ${pairs[0].prompt[0].content}`,
    `answer 11 to ${pairs[0].prompt[0].content}`,
  ])
  expect(rows[0].models).toEqual([
    'chosen',
    'rejected',
    'big-model, temperature 0.7, seed 10',
    'big-model, temperature 0.7, seed 11',
  ])
  for (const name of readdirSync(outputDir))
    expect(readFileSync(join(outputDir, name), 'utf8')).not.toContain('do not write me')
}, 30_000)

test('a server that goes down ends in exit 4; what came back is kept and not asked for again', async () => {
  let down = true
  const { url, asked } = await fakeServer(({ body }, response, n) => {
    if (down && n > 5) return void response.writeHead(500).end('{"error": "gone"}')
    return reply(`said of ${body.messages[0].content}`)
  })
  const values = {
    generationEndpoint: url,
    generationEndpointModel: 'm',
    generationEndpointConcurrency: 1,
    generationEndpointRetries: 0,
    outputDir: tempFolder('down'),
  }
  await expect(run(values)).rejects.toMatchObject({
    exitCode: EXIT.resources,
    message: expect.stringMatching(/pairs\.jsonl:6: generation endpoint http.*HTTP 500: gone/),
  })
  down = false
  const before = asked.length
  const { result } = await run(values)
  expect(result).toMatchObject({ asked: 8, known: 5, kept: 8 })
  expect(asked.length - before).toBe(3)
})

test('a prompt that the server refuses stops the run, or stays without further answers with skip_bad', async () => {
  const { url } = await fakeServer(({ body }, response) => {
    if (!body.messages[0].content.includes('snow')) return reply('yes')
    return void response.writeHead(400).end('{"error": {"message": "too long"}}')
  })
  const values = { generationEndpoint: url, generationEndpointModel: 'm', generationEndpointConcurrency: 1 }
  await expect(run(values)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('pairs.jsonl:3'),
  })
  const { result, rows } = await run({ ...values, skipBad: true })
  expect(result).toMatchObject({ asked: 8, refused: 1, answers: 7, kept: 7 })
  expect(rows.map(({ completions }) => completions.length)).toEqual([3, 3, 2, 3, 3, 3, 3, 3])
})

test('repeats are left out but for white space; a reward server scores old and new answers alike', async () => {
  const judge = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const said = ['It  is\nblue.', ' ', 'It is azure.', 'It is  azure. ']
  const { url } = await fakeServer(({ body }) => reply(said[body.seed]))
  const { result, rows, screen } = await run({
    generationEndpoint: url,
    generationEndpointModel: 'm',
    numSamples: 4,
    temperature: 1,
    seed: 0,
    maxSamples: 1,
    rewardEndpoint: `${judge.url}/rewards`,
  })
  expect(rows[0].completions).toEqual(['It is blue.', 'I will not say.', 'It is azure.'])
  expect(rows[0].rewards).toEqual(lengths(rows[0].completions))
  expect(result).toMatchObject({ answers: 4, empty: 1, duplicates: { data: 1, sampled: 1 }, kept: 1 })
  expect(screen).toContain('left out: 1 empty, 1 that the data has, 1 that came before')
})

test('answers come from a file, such as clha generate writes; prompts that the data lacks are told', async () => {
  const outputFile = join(tempFolder('generated'), 'answers.jsonl')
  const { config, ui } = await call({ modelNameOrPath: files.other, evalDataset: files.data, outputFile })
  await generatePipeline(config, ui, typed())
  const more = [
    { prompt: pairs[0].prompt[0].content, answers: ['It is azure.'], models: ['a painter'] },
    { prompt: 'Who are you?', answers: ['nobody'] },
  ]
  appendFileSync(outputFile, more.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { result, rows, screen } = await run({ answersFile: outputFile })
  expect(result.answers).toBe(9)
  expect(rows[0].models.at(-1)).toBe('a painter')
  expect(rows[0].completions.at(-1)).toBe('It is azure.')
  expect(screen).toContain('1 prompt not in train_dataset')
  appendFileSync(outputFile, '{"prompt": "x"}\n')
  await expect(run({ answersFile: outputFile })).rejects.toThrow('answers.jsonl:11: no answer')
})

test('an answer to literal text keeps its spaces, one to a dialogue does not', async () => {
  const folder = tempFolder('literal')
  const rows = [
    { prompt: 'What is 1?', completions: [' good', ' bad'] },
    { ...pairs[0], id: 'b' },
  ]
  const trainDataset = join(folder, 'data.jsonl')
  writeFileSync(trainDataset, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const answersFile = join(folder, 'answers.jsonl')
  const answers = rows.map(({ prompt }) => ({ prompt, answer: ' new\n' }))
  writeFileSync(answersFile, answers.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { rows: written } = await run({ trainDataset, answersFile })
  expect(written.map(({ completions }) => completions.at(-1))).toEqual([' new\n', 'new'])
})

test('a file of answers may be compressed, CSV, or of other names; it is read as strictly as data', async () => {
  const folder = tempFolder('answer-files')
  const [asked] = pairs[0].prompt
  const files: [name: string, content: string | Buffer][] = [
    ['a.jsonl.gz', gzipSync(JSON.stringify({ prompt: [asked], answers: ['It is azure.'] }))],
    ['a.csv', `\uFEFFquestion,response,model\n"${asked.content}",It is azure.,\n`],
    ['a.json', JSON.stringify([{ instruction: asked.content, output: 'It is azure.', rewards: null }])],
  ]
  for (const [name, content] of files) {
    const answersFile = join(folder, name)
    writeFileSync(answersFile, content)
    const { result, rows } = await run({ answersFile })
    expect([name, result.kept, rows[0].completions[2], rows[0].models[2]]).toEqual([
      ...[name, 1, 'It is azure.', name],
    ])
  }
  const twice = join(folder, 'twice.jsonl')
  writeFileSync(twice, '{"prompt": "a", "answer": "b", "answer": "c"}\n')
  await expect(run({ answersFile: twice })).rejects.toThrow('twice.jsonl:1: ')
  await expect(run({ answersFile: join(folder, 'none.jsonl') })).rejects.toThrow('none.jsonl: no such file')
})

test('neither the data nor the answers are written over', async () => {
  const answersFile = join(tempFolder('kept'), 'answers.jsonl')
  writeFileSync(answersFile, `${JSON.stringify({ prompt: pairs[0].prompt, answer: 'It is azure.' })}\n`)
  for (const outputFile of [files.data, answersFile]) {
    const before = readFileSync(outputFile, 'utf8')
    await expect(run({ answersFile, outputFile })).rejects.toThrow(`${outputFile}: is read and would be`)
    expect(readFileSync(outputFile, 'utf8')).toBe(before)
  }
})

test('data that has rewards needs their scorer, for new answers would have none', async () => {
  const scored = join(tempFolder('scored'), 'lists.jsonl')
  writeFileSync(scored, `${JSON.stringify({ prompt: 'a', completions: ['b', 'c'], rewards: [1, 2] })}\n`)
  await expect(run({ modelNameOrPath: files.model, trainDataset: scored })).rejects.toThrow(
    'further answers would have none',
  )
})

test('answers of a file have rewards exactly where the data has them, or a scorer gives them', async () => {
  const file = (name: string, row: object) => {
    const path = join(tempFolder('rewarded'), name)
    writeFileSync(path, `${JSON.stringify(row)}\n`)
    return path
  }
  const list = { prompt: 'a', completions: ['b', 'c'] }
  const plain = file('lists.jsonl', list)
  const scored = file('lists.jsonl', { ...list, rewards: [1, 2] })
  const answers = file('answers.jsonl', { prompt: 'a', answers: ['d'] })
  const worth = file('answers.jsonl', { prompt: 'a', answers: ['d'], rewards: [3] })
  for (const [trainDataset, answersFile] of [
    [scored, answers],
    [plain, worth],
  ])
    await expect(run({ trainDataset, answersFile })).rejects.toThrow(
      'lists.jsonl:1: some answers have a reward',
    )
  const { rows } = await run({ trainDataset: scored, answersFile: worth })
  expect(rows[0].rewards).toEqual([1, 2, 3])
  const judge = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const values = { trainDataset: scored, answersFile: answers, rewardEndpoint: `${judge.url}/rewards` }
  expect((await run(values)).rows[0].rewards).toEqual([1, 1, 1])
})

test('new answers count where they are written: rows that a list has no place for are left out with theirs', async () => {
  const folder = tempFolder('unwritten')
  const rows = [
    { prompt: 'a', completions: ['b', 'c', 'd'], ranks: [1, 2, 3] },
    {
      prompt: 'e',
      completions: ['f', 'g', 'h'],
      rankings: [
        [1, 2, null],
        [null, 1, 2],
        [2, null, 1],
      ],
    },
  ]
  const trainDataset = join(folder, 'data.jsonl')
  writeFileSync(trainDataset, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const answersFile = join(folder, 'answers.jsonl')
  const answers = rows.map(({ prompt }) => ({ prompt, answers: ['new', 'newer'] }))
  writeFileSync(answersFile, answers.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { result, screen, outputDir } = await run({ trainDataset, answersFile })
  expect(result).toMatchObject({ rows: 1, answers: 4, kept: 2, unwritten: 2 })
  expect(JSON.parse(readFileSync(join(outputDir, 'augment.json'), 'utf8'))).toMatchObject({ kept: 2 })
  expect(screen).toContain('2 of 4 answers are new candidates · left out: 2 of rows that are not in the file')
})

test('keys of a server that is not named, and two sources at once, are errors', async () => {
  await expect(call({ generationEndpointRetries: 3 })).rejects.toThrow('generation_endpoint names no server')
  await expect(call({ generationEndpoint: 'http://h', answersFile: 'x' })).rejects.toThrow('remove one')
  await expect(run({ answersFile: files.data, numSamples: 7, temperature: 0.5 })).rejects.toThrow(
    /temperature has no effect: the answers come from answers_file\n.*num_samples has no effect/,
  )
  await expect(run({ answersFile: files.data, seed: 1 })).rejects.toThrow('seed has no effect')
  await expect(run({ generationEndpoint: 'http://h/v1' })).rejects.toThrow(
    'generation_endpoint_model is missing',
  )
})
