/** Comparing, judging and voting from code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { compare, judge, readComparison, verdictFigures, vote } from '../../src/index.js'
import { temporaryFolder } from '../helpers/folders.js'
import { chat, honest } from '../judges/judges.js'
import { fakeServer, lengths } from '../reward/fake-server.js'
import { json } from '../serve/serving.js'

/** Two files of answers; of three prompts the second system's number is larger on two. */
function answers(): { folder: string; files: string[] } {
  const folder = temporaryFolder()
  const write = (name: string, texts: readonly string[]) => {
    const path = join(folder, `${name}.jsonl`)
    const rows = texts.map((answer, i) => JSON.stringify({ prompt: `Question ${i}?`, answer }))
    writeFileSync(path, `${rows.join('\n')}\n`)
    return path
  }
  return {
    folder,
    files: [
      write('start', ['value 1', 'value 5', 'value 3']),
      write('mine', ['value 2', 'value 4', 'value 30']),
    ],
  }
}

test('judge gives back how the systems stand, and the record holds every verdict', async () => {
  const { folder, files } = answers()
  const { url, asked } = await fakeServer(({ body }) => chat(honest(body)))
  const output = join(folder, 'verdicts.jsonl')
  const settings = { answers: files, output, judgeEndpoint: `${url}/v1`, judgeModel: 'judge-1' }
  const result = await judge(settings)
  expect(result).toMatchObject({ judged: 6, errors: 0, left: 0, requests: 6 })
  expect(result.pairs).toMatchObject([{ systems: ['mine', 'start'], a: 4, b: 2, tie: 0 }])
  const comparison = readComparison(output)
  expect(comparison.rows).toHaveLength(6)
  expect(verdictFigures(comparison, comparison.rows)?.against[0].winRate.value).toBeCloseTo(2 / 3, 12)
  expect(await judge(settings)).toMatchObject({ known: 6, requests: 0 })
  expect(asked).toHaveLength(6)
})

test('vote serves until its signal, and says how far each rater came', async () => {
  const { folder, files } = answers()
  const end = new AbortController()
  const output = join(folder, 'votes.jsonl')
  const links: { rater: string; link: string }[] = []
  const result = await vote(
    { answers: files, output, raters: ['ann'], repeats: 0, port: 0 },
    {
      signal: end.signal,
      async opened(found) {
        links.push(...found)
        const [url, token] = found[0].link.split('/#')
        const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
        const { tasks } = await json(await fetch(`${url}/api/tasks`, { headers }))
        const body = JSON.stringify({ task: tasks[0].id, ranks: [1, 1], milliseconds: 9 })
        await fetch(`${url}/api/vote`, { method: 'POST', headers, body })
        end.abort()
      },
    },
  )
  expect(links.map(({ rater }) => rater)).toEqual(['ann'])
  expect(result.raters).toEqual([{ rater: 'ann', done: 1, total: 3 }])
  expect(readComparison(output).rows.map(({ verdict, rater }) => [verdict, rater])).toEqual([['tie', 'ann']])
})

test('compare takes verdicts of people beside scorers, and refuses what it does not use', async () => {
  const { folder, files } = answers()
  const { url } = await fakeServer(({ body }) => ({ rewards: lengths(body.answers) }))
  const { measures, comparison } = await compare({
    systems: files,
    rewardEndpoint: `${url}/rewards`,
    outputDir: join(folder, 'compared'),
  })
  // Lengths 7, 7, 7 against 7, 7, 8: two ties and a win.
  expect(measures?.systems.mine.winrate.value).toBeCloseTo(2 / 3, 12)
  expect(readComparison(comparison).rows).toHaveLength(3)
  const refused = { systems: files, trainDataset: 'x.jsonl' }
  await expect(compare(refused)).rejects.toThrow('compare does not use train_dataset')
  const wrong = { answers: files, output: 'x', judgeEndpont: 'x' }
  await expect(judge(wrong)).rejects.toThrow('judge does not use judgeEndpont')
})
