import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { generatePipeline } from '../../src/commands/generate/generate.js'
import { inOrder } from '../../src/files/in-order.js'
import { openJsonLines } from '../../src/files/json-lines.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, pairs, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('generate'))
})

async function run(values: Record<string, unknown>) {
  const { config, ui, screen } = await call({ modelNameOrPath: files.model, ...values })
  return { result: await generatePipeline(config, ui, typed()), screen: screen() }
}

const readLines = (path: string) =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

test('prompts of a data file are answered into JSON Lines, in the order of the file', async () => {
  const outputFile = join(tempFolder('answers'), 'new', 'answers.jsonl')
  const { result, screen } = await run({ evalDataset: files.data, outputFile, evalBatchSize: 3 })
  const rows = readLines(outputFile)
  expect(rows.map(({ prompt }) => prompt)).toEqual(pairs.map(({ prompt }) => prompt))
  for (const [i, row] of rows.entries()) {
    expect(Object.keys(row)).toEqual(['prompt', 'answer', 'tokens', 'finish_reason'])
    expect(row.answer).toBe(result.answers[i].answer)
    expect(row.tokens).toBeLessThanOrEqual(12)
    expect(['stop', 'length']).toContain(row.finish_reason)
  }
  expect(existsSync(`${outputFile}.partial`)).toBe(false)
  expect(screen).toContain(outputFile)
})

test('the data that is answered is not written over', async () => {
  const before = readFileSync(files.data, 'utf8')
  await expect(run({ evalDataset: files.data, outputFile: files.data })).rejects.toThrow(
    'is read and would be',
  )
  expect(readFileSync(files.data, 'utf8')).toBe(before)
})

test('one prompt is a user turn; its answer is streamed to the screen', async () => {
  const { result, screen } = await run({ prompt: 'Which colour has the sky?' })
  expect(result.answers).toHaveLength(1)
  expect(result.answers[0].prompt).toEqual([{ role: 'user', content: 'Which colour has the sky?' }])
  expect(result.answers[0].answer).not.toBe('')
  expect(screen).toContain(result.answers[0].answer)
})

test('with the template plain a prompt is the very text that is continued', async () => {
  const { result } = await run({ prompt: 'The sky', chatTemplate: 'plain' })
  expect(result.answers[0].prompt).toBe('The sky')
})

test('num_samples gives different answers to the same prompt, the first as if it were alone', async () => {
  const values = { prompt: ['Which colour has the sea?'], temperature: 1 }
  const several = (await run({ ...values, numSamples: 3 })).result.answers.map(({ answer }) => answer)
  expect(new Set(several).size).toBe(3)
  expect((await run(values)).result.answers[0].answer).toBe(several[0])
})

test('answers that finish out of order are handed on in order', () => {
  const seen: string[] = []
  const ordered = inOrder<string>((item) => void seen.push(item))
  ordered.add(2, 'c')
  ordered.add(0, 'a')
  expect(seen).toEqual(['a'])
  ordered.add(4, 'e')
  ordered.add(1, 'b')
  expect(seen).toEqual(['a', 'b', 'c'])
  ordered.flush()
  expect(seen).toEqual(['a', 'b', 'c', 'e'])
})

test('a file has its name only when it is whole; what was written before an error is kept beside it', () => {
  const path = join(tempFolder('rows'), 'rows.jsonl')
  const file = openJsonLines(path)
  file.write({ a: 1 })
  expect(existsSync(path)).toBe(false)
  expect(readLines(`${path}.partial`)).toEqual([{ a: 1 }])
  file.abandon()
  const again = openJsonLines(path)
  again.write({ a: 2 })
  again.finish()
  expect(readLines(path)).toEqual([{ a: 2 }])
})

test('an answer that the context cut says so, not that max_new_tokens did', async () => {
  const prompt = ['Which colour has the sky?', 'Which colour has the sea?']
  const long = await run({ prompt, maxNewTokens: 200 })
  expect(long.result.answers.map(({ finishReason }) => finishReason)).toContain('length')
  expect(long.screen).toContain("cut at the model's context of 128 tokens)")
  expect(long.screen).not.toContain('max_new_tokens')
  expect((await run({ prompt, maxNewTokens: 3 })).screen).toContain('(3 tokens, cut at max_new_tokens)')
})

test('a prompt and an eval_dataset are not both answered, so one of them is refused', async () => {
  await expect(run({ prompt: 'hi', evalDataset: files.data })).rejects.toThrow(
    'eval_dataset has no effect: the prompts are those of prompt',
  )
})
