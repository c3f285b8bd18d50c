import { EventEmitter } from 'node:events'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type VoteResult, vote, voteCall } from '../../src/commands/vote/vote.js'
import { EXIT } from '../../src/exit-codes.js'
import { listenForStop } from '../../src/terminal/signals.js'
import { createUi } from '../../src/terminal/ui.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'

/** Two files of answers to four prompts, and where the votes go. */
function answers(second = (i: number) => `two ${i}`, prompts = 4) {
  const folder = temporaryFolder()
  const write = (name: string, answer: (i: number) => string) => {
    const rows = Array.from({ length: prompts }, (_, i) => ({ prompt: `Question ${i}?`, answer: answer(i) }))
    fs.writeFileSync(join(folder, name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return join(folder, name)
  }
  return {
    folder,
    inputs: [write('one.jsonl', (i) => `one ${i}`), write('two.jsonl', second)],
    output: join(folder, 'votes.jsonl'),
  }
}

/** A server that runs until `end`. */
async function serving(inputs: string[], flags: Record<string, unknown>) {
  const source = new EventEmitter()
  const quit = listenForStop({ say: () => {}, exit: () => {}, source })
  const screen = new Sink()
  let ended = false
  const result: Promise<VoteResult> = vote(
    await voteCall(inputs, { port: 0, rater: ['ann', 'bob'], ...flags }),
    createUi({ stream: screen }),
  ).finally(() => {
    ended = true
    quit()
  })
  result.catch(() => {})
  const end = async () => {
    source.emit('SIGTERM')
    return result
  }
  onTestFinished(() =>
    end().then(
      () => {},
      () => {},
    ),
  )
  while (!ended && !screen.text.includes('Ctrl-C ends it'))
    await new Promise((resolve) => setTimeout(resolve, 5))
  if (ended) await result
  const links = new Map(
    [...screen.text.matchAll(/^(\S+) {2}(\S+)\/#(\S+)/gm)].map(([, name, url, token]) => [
      name,
      { url, token },
    ]),
  )
  const ask = async (rater: string, path: string, body?: object) => {
    const { url, token } = links.get(rater) as { url: string; token: string }
    const response = await fetch(`${url}/api/${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    })
    // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape
    return (await response.json()) as any
  }
  return { screen, links, ask, end }
}

async function voteOnce({ ask }: Awaited<ReturnType<typeof serving>>, rater: string) {
  const { tasks } = await ask(rater, 'tasks')
  return ask(rater, 'vote', { task: tasks[0].id, ranks: [1, 2] })
}

test('every rater has a link that stays the same, and the file alone goes on', async () => {
  const { inputs, output } = answers()
  const first = await serving(inputs, { output })
  await voteOnce(first, 'ann')
  await voteOnce(first, 'ann')
  await voteOnce(first, 'bob')
  expect(await first.end()).toMatchObject({
    file: output,
    raters: [
      { rater: 'ann', done: 2, total: 4 },
      { rater: 'bob', done: 1, total: 4 },
    ],
  })
  const again = await serving([output], { rater: undefined })
  expect(again.screen.text).toContain('2 of 4 votes')
  for (const name of ['ann', 'bob']) expect(again.links.get(name)?.token).toBe(first.links.get(name)?.token)
  expect(await again.ask('bob', 'tasks')).toMatchObject({ done: 1, total: 4 })
  expect(fs.statSync(`${output}.links`).mode & 0o777).toBe(0o600)
})

test('a second server on one file ends with 3, and the first one goes on', async () => {
  const { inputs, output } = answers()
  const first = await serving(inputs, { output })
  await expect(serving([output], {})).rejects.toMatchObject({
    exitCode: EXIT.busy,
    message: expect.stringContaining('another process writes this comparison'),
  })
  expect(await voteOnce(first, 'ann')).toMatchObject({ done: 1 })
})

test('a file that was cut goes on without the vote that was being written, and says so', async () => {
  const { inputs, output } = answers()
  const first = await serving(inputs, { output })
  await voteOnce(first, 'ann')
  await voteOnce(first, 'ann')
  await first.end()
  fs.truncateSync(output, fs.statSync(output).size - 30)
  const again = await serving([output], {})
  expect(again.screen.text).toContain('was being written when the last server died')
  expect(await again.ask('ann', 'tasks')).toMatchObject({ done: 1 })
})

test('a file that was edited, and one of other answers, are refused', async () => {
  const { inputs, output } = answers()
  const first = await serving(inputs, { output })
  await voteOnce(first, 'ann')
  await first.end()
  const other = answers((i) => `something else ${i}`)
  await expect(serving(other.inputs, { output })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringContaining('holds another comparison'),
  })
  const text = fs.readFileSync(output, 'utf8')
  fs.writeFileSync(output, text.replace(/"verdict":"[ab]"/, '"verdict":"tie"'))
  await expect(serving([output], {})).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(
      /votes\.jsonl:6: this line, or the one before it, is not as it was written/,
    ),
  })
})

test('gold pairs are mixed in, and a ranking of five is refused', async () => {
  const { inputs, output, folder } = answers()
  const gold = join(folder, 'gold.jsonl')
  fs.writeFileSync(gold, '{"prompt": "1 + 1?", "chosen": "2", "rejected": "3"}\n')
  const { ask, end } = await serving(inputs, { output, gold })
  expect(await ask('ann', 'tasks')).toMatchObject({ total: 5 })
  await end()
  const five = ['a', 'b', 'c', 'd', 'e'].map((name) => `${name}=${inputs[0]}`)
  fs.writeFileSync(inputs[1], fs.readFileSync(inputs[1], 'utf8'))
  await expect(
    serving([...five.slice(1), inputs[1]], { output: `${output}.5`, rank: true }),
  ).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: '--rank: up to 4 answers are ranked, not 5',
  })
})

/** Three systems, eight prompts. */
function threeSystems() {
  const { folder, inputs, output } = answers(undefined, 8)
  fs.writeFileSync(join(folder, 'three.jsonl'), fs.readFileSync(inputs[0], 'utf8').replaceAll('one', 'three'))
  return { inputs: [...inputs, join(folder, 'three.jsonl')], output }
}

test('a ranking goes on as a ranking from the file alone, its repeats too', async () => {
  const { inputs, output } = threeSystems()
  const rank = async ({ ask }: Awaited<ReturnType<typeof serving>>) => {
    const { tasks } = await ask('ann', 'tasks')
    expect(tasks[0].answers).toHaveLength(3)
    return ask('ann', 'vote', { task: tasks[0].id, ranks: [1, 2, 3] })
  }
  const first = await serving(inputs, { output, rank: true, repeats: 0.5 })
  for (let n = 0; n < 7; n++) await rank(first)
  await first.end()
  const again = await serving([output], { rater: undefined })
  expect(await again.ask('ann', 'tasks')).toMatchObject({ mode: 'rank', done: 7, total: 12 })
  for (let n = 0; n < 5; n++) await rank(again)
  expect(await again.ask('ann', 'tasks')).toMatchObject({ done: 12, tasks: [] })
  await again.end()
  // Without what lies beside it, the votes themselves say the mode.
  fs.rmSync(`${output}.links`)
  const alone = await serving([output], {})
  expect(await alone.ask('bob', 'tasks')).toMatchObject({ mode: 'rank', done: 0, total: 8 })
})

test('the mode that a vote was begun with stays before its first vote; another one is refused after it', async () => {
  const { inputs, output } = threeSystems()
  await (await serving(inputs, { output, rank: true })).end()
  const ranking = await serving([output], {})
  expect(await ranking.ask('ann', 'tasks')).toMatchObject({ mode: 'rank' })
  await ranking.end()
  const pairs = await serving([output], { rank: false })
  await voteOnce(pairs, 'ann')
  await pairs.end()
  await expect(serving([output], { rank: true })).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: `--rank: the votes in ${output} compare two answers at a time`,
  })
  const again = await serving([output], { repeats: 0.25 })
  expect(await again.ask('ann', 'tasks')).toMatchObject({ mode: 'pair', done: 1, total: 10 })
})

test('links of before, with the secret alone, stay the same', async () => {
  const { inputs, output } = answers()
  fs.writeFileSync(`${output}.links`, `${'ab'.repeat(32)}\n`, { mode: 0o600 })
  await (await serving(inputs, { output })).end()
  expect(fs.readFileSync(`${output}.links`, 'utf8').split('\n')[0]).toBe('ab'.repeat(32))
  fs.appendFileSync(`${output}.links`, '{"torn')
  expect((await serving([output], {})).screen.text).toContain('Ctrl-C ends it')
})

test('names of raters are short, not empty, and given once', async () => {
  for (const rater of [['ann', 'ann'], [''], ['x'.repeat(61)]])
    await expect(voteCall([], { rater })).rejects.toMatchObject({ exitCode: EXIT.usage })
})
