/** Models and files of answers side by side, and the gate on what was found. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { compareSystems } from '../../src/commands/compare/compare.js'
import { gate } from '../../src/commands/gate/gate.js'
import { promptKey } from '../../src/dialogue.js'
import type { EvalReport } from '../../src/report/types.js'
import { openComparison, readComparison } from '../../src/verdicts/comparison-file.js'
import { unknownAnswer } from '../../src/verdicts/shapes.js'
import type { ComparisonItem } from '../../src/verdicts/types.js'
import { fakeServer, lengths } from '../reward/fake-server.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { rowOf } from '../verdicts/panel.js'
import { call, type Files, pairs, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('compare'))
})

const prompts = pairs.map(({ prompt }) => prompt)

/** A file of answers, a row a prompt. */
function answerFile(name: string, answers: readonly string[], asked: readonly object[] = prompts): string {
  const path = join(tempFolder('answers'), `${name}.jsonl`)
  const rows = answers.map((answer, i) => JSON.stringify({ prompt: asked[i], answer }))
  fs.writeFileSync(path, `${rows.join('\n')}\n`)
  return path
}

/** Answers that differ from prompt to prompt, and by `word` from file to file. */
const numbered = (name: string, word = name) =>
  answerFile(
    name,
    prompts.map((_, i) => `${word} ${i}`),
  )

async function compare(names: readonly string[], values: object = {}, verdicts: readonly string[] = []) {
  const outputDir = (values as { outputDir?: string }).outputDir ?? tempFolder('compare-out')
  // Files alone have no use for it.
  const maxNewTokens = names.every((name) => name.endsWith('.jsonl')) ? undefined : 4
  const { config, ui, screen } = await call({ maxNewTokens, ...values, outputDir })
  const result = await compareSystems({ names, verdicts })(config, ui, typed())
  const report = JSON.parse(fs.readFileSync(join(outputDir, 'report.json'), 'utf8')) as EvalReport
  const read = (name: string) => fs.readFileSync(join(outputDir, name), 'utf8')
  return { result, report, outputDir, read, screen: screen() }
}

test('two files: the record holds all answers and every scorer, and what differs is marked', async () => {
  const a = answerFile(
    'start',
    prompts.map((_, i) => `It is colour ${i}.`),
  )
  const b = answerFile(
    'mine',
    prompts.map((_, i) => `It is surely colour ${i}.`),
  )
  const { result, report, read } = await compare([a, b], { rewardModel: files.reward })
  expect(result.prompts).toBe(8)
  const { items, rows } = readComparison(result.comparison)
  expect(items.map(({ answers }) => answers.map(({ system }) => system))).toEqual(
    new Array(8).fill(['start', 'mine']),
  )
  expect(rows).toHaveLength(8)
  for (const { grade = [0, 0], verdict, systems, kind } of rows) {
    expect(systems).toEqual(['mine', 'start'])
    expect(kind).toBe('reward')
    expect(verdict).toBe(grade[0] > grade[1] ? 'a' : 'b')
  }
  const wins = rows.filter(({ verdict }) => verdict === 'a').length
  expect(report.measures).toMatchObject({ subject: 'mine', baseline: 'start' })
  expect(report.measures?.systems.mine.winrate.value).toBe(wins / 8)
  // 22 characters against 15.
  expect(report.measures?.systems.mine['length.ratio'].value).toBeCloseTo(22 / 15, 12)
  expect(report.judgements).toHaveLength(1)
  expect(report.comparison?.cases).toHaveLength(8)
  expect(read('report.html')).toContain('<mark>surely </mark>')
  expect(read('report.md')).toContain('What was compared')
})

test('the same command again adds no verdict, and other answers in the same folder are refused', async () => {
  const [a, b] = ['one', 'two'].map((name) => numbered(name))
  const { outputDir, result } = await compare([a, b], { rewardModel: files.reward })
  const before = fs.readFileSync(result.comparison, 'utf8')
  await compare([a, b], { rewardModel: files.reward, outputDir })
  expect(fs.readFileSync(result.comparison, 'utf8')).toBe(before)
  const c = numbered('two', 'other')
  await expect(compare([a, c], { outputDir })).rejects.toThrow('holds another comparison')
})

test('another comparison in the folder is refused before anything is scored', async () => {
  const { url, asked } = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const files = ['one', 'two', 'three'].map((name) => numbered(name))
  const { outputDir } = await compare(files.slice(0, 2))
  const values = { rewardEndpoint: `${url}/rewards`, outputDir }
  await expect(compare(files.slice(1), values)).rejects.toThrow('holds another comparison')
  expect(asked).toEqual([])
})

test('another comparison in the folder is refused before a model answers', async () => {
  const [one, two] = ['one', 'two'].map((name) => numbered(name))
  const { outputDir } = await compare([one, two])
  await expect(compare([one, files.model], { outputDir })).rejects.toThrow('holds another comparison')
  expect(fs.existsSync(join(outputDir, 'answers'))).toBe(false)
})

test('several servers and a reward model in one run: each has its figures by subset and in total', async () => {
  const { url } = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const { url: other } = await fakeServer(({ body, headers }) => {
    expect(headers.authorization).toBeUndefined()
    return { rewards: lengths(body.answers).map((length: number) => -length) }
  })
  const asked = ['x', 'y', 'z'].map((content) => [{ role: 'user', content }])
  const rows = (answers: string[]) =>
    answers.map((answer, i) => ({ prompt: asked[i], answer, subset: i < 1 ? 'harmless' : 'helpful' }))
  const write = (name: string, answers: string[]) => {
    const path = join(tempFolder('subsets'), `${name}.jsonl`)
    fs.writeFileSync(
      path,
      rows(answers)
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    )
    return path
  }
  const systems = [write('start', ['aa', 'a', 'a']), write('mine', ['a', 'aa', 'aaaa'])]
  process.env.CLHA_TEST_TOKEN = 'hush'
  const { report, read, screen } = await compare(systems, {
    rewardEndpoint: `${url}/rewards`,
    rewardEndpointTokenEnv: 'CLHA_TEST_TOKEN',
    evalRewardModel: [`${other}/rewards`, files.reward],
  })
  const found = report.evaluation!.scorers!
  const row = (scorer: string, system: string, source: string) =>
    found.find((r) => r.scorer === scorer && r.system === system && r.source === source)!
  expect([...new Set(found.map(({ scorer }) => scorer))]).toEqual(['reward', 'second', files.reward])
  const logistic = (x: number) => 1 / (1 + Math.exp(-x))
  // Lengths 2, 1, 1 against 1, 2, 4. Harmless: 1; helpful: 3; in total (1 + 2 * 3) / 3: subsets weigh by their prompts.
  expect(row('reward', 'mine', 'harmless').reward.value).toBe(1)
  expect(row('reward', 'mine', 'helpful').reward.value).toBe(3)
  expect(row('reward', 'mine', 'total').reward.value).toBeCloseTo(7 / 3, 12)
  expect(row('reward', 'mine', 'total').sigmoid.value).toBeCloseTo(
    (logistic(1) + logistic(2) + logistic(4)) / 3,
    12,
  )
  expect(row('reward', 'mine', 'total').against).toMatchObject({ wins: 2, ties: 0, losses: 1 })
  expect(row('reward', 'mine', 'harmless').against).toMatchObject({ wins: 0, losses: 1 })
  expect(row('second', 'mine', 'total').against).toMatchObject({ wins: 1, ties: 0, losses: 2 })
  // A reward that is the length, or its opposite.
  expect(row('reward', 'mine', 'total').lengthCorrelation).toBeCloseTo(1, 12)
  expect(row('second', 'mine', 'total').lengthCorrelation).toBeCloseTo(-1, 12)
  expect(report.evaluation!.agreement![0]).toMatchObject({ a: 'reward', b: 'second' })
  expect(report.evaluation!.agreement![0].pearson).toBeCloseTo(-1, 12)
  expect(read('report.md')).toContain('mean of sigmoids')
  expect(read('report.html')).toContain('correlation with length')
  expect(report.notes?.join()).toContain(`second = ${other}/rewards`)
  // A server may run any model: nothing is said of families.
  expect(screen).not.toContain('no independent view')
  const twice = { rewardModel: files.reward, evalRewardModel: files.reward }
  await expect(compare(systems, twice)).rejects.toThrow('is named twice')
})

test('scorers of one family are said, and a scorer that judges alone', async () => {
  const systems = ['start', 'mine'].map((name) => numbered(name))
  const alone = await compare(systems, { rewardModel: files.reward })
  expect(alone.screen).toContain('reward_model alone judges')
  const siblings = await compare(systems, { rewardModel: files.reward, evalRewardModel: files.second })
  expect(siblings.screen).toContain('all judges are of the family of reward_model (llama)')
})

test('a model answers what it was not asked before, and what is known is not made again', async () => {
  const a = answerFile(
    'start',
    prompts.map(() => 'It is blue.'),
  )
  const first = await compare([a, files.model], { evalDataset: files.data })
  expect(first.report.comparison?.systems.map(({ made }) => made)).toEqual([0, 8])
  const again = await compare([a, files.model], { evalDataset: files.data, outputDir: first.outputDir })
  expect(again.report.comparison?.systems.map(({ made }) => made)).toEqual([0, 0])
  expect(again.report.evaluation?.rows.map(({ length }) => length)).toEqual(
    first.report.evaluation?.rows.map(({ length }) => length),
  )
})

test('missing answers are left out and said; without a prompt in common there is nothing to compare', async () => {
  const a = numbered('start', 'a')
  const b = answerFile('mine', ['x', 'y', 'z'])
  const { result, screen } = await compare([a, b])
  expect(result.prompts).toBe(3)
  expect(screen).toContain('mine has no answer to 5 prompts')
  expect(screen).toContain('no rewards or verdicts')
  const c = answerFile('other', ['x'], [[{ role: 'user', content: 'Else?' }]])
  await expect(compare([a, c])).rejects.toThrow('no prompt is answered by all systems')
  await expect(compare([a])).rejects.toThrow('two systems or more')
  await expect(compare([a, a])).rejects.toThrow('named twice')
  await expect(compare([files.model, files.other])).rejects.toThrow('nothing says on which prompts')
  await expect(compare([a, files.reward])).rejects.toThrow('a reward model, it cannot answer')
})

test('settings of generation are refused where no model answers', async () => {
  const systems = ['start', 'mine'].map((name) => numbered(name))
  for (const [key, values] of Object.entries({
    temperature: { temperature: 0.5 },
    max_new_tokens: { maxNewTokens: 3 },
  }))
    await expect(compare(systems, values)).rejects.toThrow(`${key} has no effect: only files of answers`)
  const { result } = await compare([systems[0], files.model], { temperature: 0.5, evalPrompts: 2 })
  expect(result.prompts).toBe(2)
})

test('one prompt, and the same answers twice, show no difference and are said', async () => {
  const { url } = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const scored = { rewardEndpoint: `${url}/rewards` }
  const one = await compare([answerFile('start', ['a']), answerFile('mine', ['aaa'])], scored)
  // Wilson's interval of 1 of 1.
  const { winrate } = one.report.measures!.systems.mine
  expect(winrate.value).toBe(1)
  expect(winrate.interval?.[0]).toBeCloseTo(1 / (1 + 1.959964 ** 2), 6)
  expect(one.screen).toContain('No difference between mine and start is shown.')
  expect(one.report.measures!.systems.mine['reward.difference']).toEqual({ value: 2 })
  const same = prompts.map((_, i) => `same ${i}`)
  const twins = await compare([answerFile('start', same), answerFile('mine', same)], scored)
  expect(twins.screen).toContain('mine gave the same answers as start throughout')
  expect(twins.report.evaluation!.scorers!.at(-1)!.against).toMatchObject({ wins: 0, losses: 0 })
  expect(twins.screen).toContain('No difference between mine and start is shown.')
})

/** A file in which each rater prefers the system to `start` on every item. */
function voteFile(items: readonly ComparisonItem[], votes: readonly { rater: string; system: string }[]) {
  const path = join(tempFolder('votes'), 'votes.jsonl')
  const log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
  for (const { rater, system } of votes)
    log.append(...items.map((item) => rowOf(item, [system, 'start'], 'a', { rater })))
  log.close()
  return path
}

test('votes of people on the same systems come first in the report', async () => {
  const [a, b] = ['start', 'mine'].map((name) => numbered(name))
  const { result } = await compare([a, b])
  const { items } = readComparison(result.comparison)
  const votes = voteFile(
    items,
    ['ann', 'bob', 'cy'].map((rater) => ({ rater, system: 'mine' })),
  )
  const { report, screen } = await compare([a, b], { rewardModel: files.reward }, [votes])
  expect(report.judgements?.map(({ who }) => who)).toEqual(['people', 'the reward model'])
  expect(report.judgements?.[0].winRate.value).toBe(1)
  // All three say so on all eight prompts: Wilson's lower end of 8 of 8.
  const { winrate, 'winrate@people': people, 'alpha@people': alpha } = report.measures?.systems.mine ?? {}
  expect(people?.interval?.[0]).toBeCloseTo(0.6756, 4)
  expect(winrate).toEqual(people)
  expect(alpha).toEqual({ value: null })
  expect(screen).toContain('mine is better than start.')
  expect(screen).toContain('3 raters are few')
  const c = numbered('else')
  await expect(compare([c, b], {}, [votes])).rejects.toThrow('people said nothing of else')
  expect(items[0].item).toBe(promptKey(items[0].prompt).slice(0, 16))
})

test('what standing first is worth counts over the pairs of all raters', async () => {
  const [a, b] = ['start', 'mine'].map((name) => numbered(name))
  const { items } = readComparison((await compare([a, b])).result.comparison)
  const path = join(tempFolder('votes'), 'votes.jsonl')
  const log = openComparison(path, items, { lock: () => ({ release: () => {} }) })
  // Ann takes whichever stands first, on half of the items; bob goes by the answers.
  const vote = (rater: string, of: readonly ComparisonItem[], second: 'a' | 'b') =>
    log.append(
      ...of.flatMap((item) => [
        rowOf(item, ['mine', 'start'], 'a', { rater, shown: 'ab' }),
        rowOf(item, ['mine', 'start'], second, { rater, shown: 'ba' }),
      ]),
    )
  vote('ann', items.slice(0, 4), 'b')
  vote('bob', items, 'a')
  log.close()
  const { measures } = (await compare([a, b], {}, [path])).report
  expect(measures?.systems.mine).toMatchObject({
    'bias.position@people': { value: 4 / 12 },
    'consistent@people': { value: 8 / 12 },
  })
})

test('verdicts on a third system are left out, and said', async () => {
  const [a, b, c] = ['start', 'mine', 'else'].map((name) => numbered(name))
  const { result } = await compare([a, b, c])
  const { items } = readComparison(result.comparison)
  const votes = voteFile(
    items,
    ['mine', 'else'].map((system) => ({ rater: 'ann', system })),
  )
  const { report, screen } = await compare([a, b], {}, [votes])
  expect(report.judgements?.map(({ system }) => system)).toEqual(['mine'])
  expect(report.comparison?.verdicts[0].figures).toMatchObject({ verdicts: 8, strengths: { length: 2 } })
  expect(screen).toContain('8 of 16 verdicts of people are on other systems, and left out')
})

test('votes on other prompts or other answers of systems with the same names are left out, and said', async () => {
  const [a, b] = ['start', 'mine'].map((name) => numbered(name))
  const { items } = readComparison((await compare([a, b])).result.comparison)
  const votes = voteFile(items, [{ rater: 'ann', system: 'mine' }])
  // The first three answers of `mine` are other ones now, and the last prompt is no longer asked.
  const changed = answerFile('mine', [
    ...['new 0', 'new 1', 'new 2'],
    ...[3, 4, 5, 6].map((i) => `mine ${i}`),
  ])
  const { report, screen } = await compare([a, changed], {}, [votes])
  expect(report.comparison?.verdicts[0].figures).toMatchObject({ verdicts: 4, items: 4 })
  expect(screen).toContain('4 of 8 verdicts of people are on other prompts or other answers, and left out')
  const others = compare([a, numbered('mine', 'else')], { rewardEndpoint: 'http://127.0.0.1:9/rewards' }, [
    votes,
  ])
  await expect(others).rejects.toThrow('people judged other prompts, or other answers, of start and mine')
})

test('votes on answers that their file does not hold count by their prompts, and that is said', async () => {
  const [a, b] = ['start', 'mine'].map((name) => numbered(name))
  const { items } = readComparison((await compare([a, b])).result.comparison)
  const textless = ({ item, prompt }: ComparisonItem, asked = prompt): ComparisonItem => ({
    item,
    prompt: asked,
    answers: ['start', 'mine'].map((system) => ({ system, answer: unknownAnswer(item, system) })),
  })
  const file = (own: readonly ComparisonItem[]) => voteFile(own, [{ rater: 'ann', system: 'mine' }])
  const known = file(items.map((item) => textless(item)))
  const { report, screen } = await compare([a, b], {}, [known])
  expect(report.comparison?.verdicts[0].figures.verdicts).toBe(8)
  expect(screen).toContain('8 of 8 verdicts of people are on answers that the file does not hold')
  const unknown = file(items.map((item) => textless(item, `question ${item.item}`)))
  await expect(compare([a, b], {}, [unknown])).rejects.toThrow('people judged other prompts')
})

/** A report with these measures of one system. */
function reportWith(measures: object): string {
  const path = join(tempFolder('gate'), 'report.json')
  fs.writeFileSync(path, JSON.stringify({ title: 'x', measures: { subject: 'm', systems: { m: measures } } }))
  return path
}

test('the gate names what failed with its value, and exits with 8; an end that nobody measured fails', async () => {
  const path = reportWith({
    winrate: { value: 0.62, interval: [0.55, 0.69] },
    'length.ratio': { value: 1.3 },
    'winrate@rm-1.5': { value: 0.4, interval: [0.3, 0.5] },
    'accuracy@Chat Hard': { value: 0.8, interval: [0.7, 0.9] },
    'accuracy@n>=10': { value: 0.6 },
    'accuracy@few <': { value: 0.5 },
  })
  const { ui, screen } = await call({})
  const check = (...conditions: string[]) => gate(path, conditions, undefined, ui)
  expect(check('winrate.lower >= 0.5', 'winrate > 0.6')).toMatchObject({ passed: true, exitCode: 0 })
  expect(check('winrate@rm-1.5.upper <= 0.5').passed).toBe(true)
  const named = check('accuracy@Chat Hard.lower>0.65', 'accuracy@n>=10>=0.6', 'accuracy@few < <= 0.5')
  expect(named.conditions.map(({ measure, found }) => [measure, found])).toEqual([
    ['accuracy@Chat Hard', 0.7],
    ['accuracy@n>=10', 0.6],
    ['accuracy@few <', 0.5],
  ])
  const failed = check('winrate.lower >= 0.5', 'length.ratio <= 1.2', 'length.ratio.upper <= 9')
  expect(failed.exitCode).toBe(8)
  expect(failed.conditions.map(({ passed, found }) => [passed, found])).toEqual([
    [true, 0.55],
    [false, 1.3],
    [false, null],
  ])
  expect(screen()).toContain('FAIL  length.ratio <= 1.2   is 1.300')
  expect(screen()).toContain('length.ratio.upper <= 9   is not measured: too little was seen for an interval')
  expect(screen()).toContain('failed: 2 of 3 conditions on m')
})

test('a condition that is misspelt, on what the report lacks, or on a report without measures is an error', async () => {
  const path = reportWith({ winrate: { value: 0.6 } })
  const { ui } = await call({})
  const check = (condition: string, system?: string) => () => gate(path, [condition], system, ui)
  expect(check('winrat >= 0.5')).toThrow('no measure "winrat"')
  expect(check('winrate => 0.5')).toThrow('no condition')
  expect(check('winrate >= half')).toThrow('half is no number')
  expect(check('winrate.lowest >= 0.5')).toThrow('no measure "winrate.lowest"')
  expect(check('alpha >= 0.5')).toThrow('the report has no alpha')
  expect(check('winrate >= 0.5', 'n')).toThrow('has no measures of n')
  const other = join(tempFolder('gate'), 'report.json')
  fs.writeFileSync(other, '{"title":"old"}')
  expect(() => gate(other, ['winrate >= 0.5'], undefined, ui)).toThrow('holds no measures')
})
