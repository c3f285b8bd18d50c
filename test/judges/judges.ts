/** Simulated judges behind real HTTP, and a judging of a few answers by them. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { judge, judgeCall } from '../../src/commands/judge/judge.js'
import type { Message } from '../../src/dialogue.js'
import { createUi } from '../../src/terminal/ui.js'
import { readComparison } from '../../src/verdicts/comparison-file.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'
import { type Answer, fakeServer } from '../reward/fake-server.js'

export const chat = (content: string, more: object = {}) => ({
  model: 'judge-1',
  choices: [{ message: { role: 'assistant', content }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1000, completion_tokens: 100 },
  ...more,
})

/** The marked parts of what a judge was sent, by their names. */
export function partsOf({ messages }: { messages: Message[] }): Record<string, string> {
  const text = messages.find(({ role }) => role === 'user')?.content ?? ''
  const parts: Record<string, string> = {}
  for (const [, name, , body] of text.matchAll(
    /^--- (.+) ([0-9a-f]{16}) ---\n([\s\S]*?)\n--- end of \1 \2 ---$/gm,
  ))
    parts[name] = body
  return parts
}

/** Prefers the answer with the larger number in it; equal ones are a tie. */
export function honest(body: { messages: Message[] }): string {
  const parts = partsOf(body)
  const [a, b] = ['answer A', 'answer B'].map((name) => Number(/\d+/.exec(parts[name])?.[0] ?? 0))
  return JSON.stringify({ reason: 'the number', verdict: a === b ? 'tie' : a > b ? 'A' : 'B' })
}

export interface Judging {
  folder: string
  file: string
  asked: Awaited<ReturnType<typeof fakeServer>>['asked']
  run(
    flags?: Record<string, unknown>,
  ): Promise<{ result: Record<string, unknown>; exitCode?: number; said: string }>
  rows(): ReturnType<typeof readComparison>['rows']
}

/** @param systems answers by system, the n-th to the n-th prompt */
export async function judging(
  systems: Record<string, readonly string[]>,
  answer: Answer,
  settings: Record<string, unknown> = {},
): Promise<Judging> {
  const folder = temporaryFolder()
  const { url, asked } = await fakeServer(answer)
  const files = Object.entries(systems).map(([name, answers]) => {
    const file = join(folder, `${name}.jsonl`)
    const rows = answers.map((text, i) => ({ prompt: `Question ${i}?`, answer: text }))
    fs.writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return file
  })
  const file = join(folder, 'verdicts.jsonl')
  const usual = { judgeEndpoint: `${url}/v1`, judgeModel: 'judge-1', judgeRetries: 1, judgeTimeout: 5 }
  return {
    folder,
    file,
    asked,
    async run(flags = {}) {
      const sink = new Sink()
      const ui = createUi({ stream: sink })
      const call = await judgeCall(files, { output: file, ...usual, ...settings, ...flags })
      const { result, exitCode } = await judge(call, ui)
      const figures: Record<string, unknown> = { ...result }
      return { result: figures, exitCode, said: sink.text }
    },
    rows: () => readComparison(file).rows,
  }
}
