import { EventEmitter } from 'node:events'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { chatPipeline } from '../../src/commands/chat/chat.js'
import { fitHistory } from '../../src/commands/chat/chat-history.js'
import { chatInterrupts } from '../../src/commands/chat/chat-interrupt.js'
import type { Message } from '../../src/dialogue.js'
import { loadLanguageModel } from '../../src/load/language-model.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { call, type Files, typed, writeFiles } from './eval-folder.js'

let files: Files
beforeAll(async () => {
  files = await writeFiles(tempFolder('chat'))
})

interface Result {
  turns: number
  messages: Message[]
}

async function chat(input: AsyncIterable<string>, values: Record<string, unknown> = {}) {
  const { config, ui, screen } = await call({ modelNameOrPath: files.model, maxNewTokens: 6, ...values })
  return { result: (await chatPipeline(config, ui, input)) as Result, screen: screen() }
}

test('a dialogue grows turn by turn, and answers are shown', async () => {
  const { result, screen } = await chat(
    typed('Which colour has the sky?', '', 'And the sea?', '/quit', 'not read'),
  )
  expect(result.turns).toBe(2)
  expect(result.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user', 'assistant'])
  expect(result.messages[2].content).toBe('And the sea?')
  expect(screen).toContain('/reset')
  expect(result.messages[1].content).not.toBe('')
})

test('/reset begins a new dialogue; the end of the input ends the chat', async () => {
  const { result, screen } = await chat(typed('one', '/reset', '/what', 'two'))
  expect(result.turns).toBe(2)
  expect(result.messages.map(({ content }) => content)[0]).toBe('two')
  expect(screen).toContain('unknown command /what')
})

test('/help lists every command with what it does', async () => {
  const { result, screen } = await chat(typed('/help'))
  expect(result).toEqual({ turns: 0, messages: [] })
  for (const name of ['/help', '/system TEXT', '/regenerate', '/save FILE', '/reset', '/quit']) {
    expect(screen).toMatch(new RegExp(`(?:\n|> )  ${name} +\\S`))
  }
})

test('/system is told before the dialogue, outlives a /reset, and goes without a text', async () => {
  const system = { role: 'system', content: 'Be kind.' }
  const { result } = await chat(typed('/system Be kind.', 'one', '/reset', 'And the sea?'))
  expect(result.messages.slice(0, 2)).toEqual([system, { role: 'user', content: 'And the sea?' }])
  const later = await chat(typed('one', '/system Be kind.'))
  expect(later.result.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant'])
  const gone = await chat(typed('/system Be kind.', '/system', 'And the sea?'))
  const without = await chat(typed('And the sea?'))
  expect(gone.result.messages).toEqual(without.result.messages)
})

test('a dialogue that the template refuses is told, taken back, and does not end the chat', async () => {
  const values = { chatTemplate: 'mistral' }
  const { result, screen } = await chat(typed('/system Be kind.', 'one', '/system', 'And the sea?'), values)
  expect(screen).toContain('not answered: the chat template (mistral) refuses a dialogue of system, user')
  expect(result.turns).toBe(1)
  expect(result.messages).toEqual((await chat(typed('And the sea?'), values)).result.messages)
})

test('/regenerate answers the last question again, otherwise where answers are drawn', async () => {
  const { result } = await chat(typed('And the sea?', '/regenerate'))
  const once = await chat(typed('And the sea?'))
  expect(result.turns).toBe(2)
  expect(result.messages).toEqual(once.result.messages)
  const drawn = { temperature: 1.5, maxNewTokens: 12 }
  const [first, again] = [
    await chat(typed('And the sea?'), drawn),
    await chat(typed('And the sea?', '/regenerate'), drawn),
  ]
  expect(again.result.messages[0]).toEqual(first.result.messages[0])
  expect(again.result.messages[1].content).not.toBe(first.result.messages[1].content)
  expect((await chat(typed('/regenerate'))).screen).toContain('there is no answer yet')
})

test('/save writes the dialogue as data are read, once; what can not be written does not end the chat', async () => {
  const file = join(tempFolder('saved'), 'a talk.jsonl')
  const { result, screen } = await chat(
    typed(
      '/save',
      `/save ${file}`,
      'And the sea?',
      `/save ${file}`,
      `/save ${file}`,
      '/save /no/such/place/x',
      'one',
    ),
  )
  expect(screen).toContain('name a file')
  expect(screen).toContain('nothing was said yet')
  expect(screen).toContain(`2 messages written to ${file}`)
  expect(screen).toContain('is there already')
  expect(screen).toContain('not written: ')
  expect(result.turns).toBe(2)
  const [line, ...rest] = fs.readFileSync(file, 'utf8').trimEnd().split('\n')
  expect(rest).toEqual([])
  expect(JSON.parse(line)).toEqual({ messages: result.messages.slice(0, 2) })
})

test('a greedy answer after /reset is the one to a fresh dialogue', async () => {
  const fresh = await chat(typed('And the sea?'))
  const reset = await chat(typed('one', '/reset', 'And the sea?'))
  expect(reset.result.messages).toEqual(fresh.result.messages)
})

test('a dialogue longer than the context goes on without its oldest turns', async () => {
  const lines = Array.from({ length: 12 }, (_, i) => `Which colour has the grass number ${i}?`)
  const { result, screen } = await chat(typed(...lines))
  expect(result.turns).toBe(12)
  expect(result.messages.length).toBeLessThan(24)
  expect(result.messages[0].role).toBe('user')
  expect(result.messages.at(-2)?.content).toBe(lines[11])
  expect(screen).toContain('the oldest turns no longer fit')
})

test('the history keeps the system message and the last turn, whatever the room', async () => {
  const lm = await loadLanguageModel(files.model, 'f32')
  const messages: Message[] = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'one' },
    { role: 'assistant', content: 'two' },
    { role: 'user', content: 'three' },
  ]
  expect(await fitHistory(lm, messages, 1000)).toEqual(messages)
  expect(await fitHistory(lm, messages, 1)).toEqual([messages[0], messages[3]])
  lm.model.dispose()
})

test('Ctrl-C while the model waits leaves the chat', async () => {
  async function* waiting() {
    yield 'one'
    process.emit('SIGINT')
    await new Promise<void>(() => {})
  }
  const { result } = await chat(waiting())
  expect(result.turns).toBe(1)
})

test('Ctrl-C ends an answer first, keeps what came, and the chat goes on', async () => {
  const before = process.listenerCount('SIGINT')
  async function* input() {
    setImmediate(() => setImmediate(() => process.emit('SIGINT')))
    yield 'Which colour has the sky?'
    yield 'And the sea?'
  }
  const { result, screen } = await chat(input(), { maxNewTokens: 80, stop: 'never said' })
  expect(result.turns).toBe(2)
  expect(screen).toContain('…')
  expect(result.messages.at(-1)?.role).toBe('assistant')
  expect(process.listenerCount('SIGINT')).toBe(before)
})

test('while a chat runs, Ctrl-C is its own; afterwards it is given back', async () => {
  const source = new EventEmitter()
  const heard: string[] = []
  source.on('SIGINT', () => heard.push('outer'))
  const interrupts = chatInterrupts(source)
  interrupts.answering(true)
  source.emit('SIGINT')
  expect(interrupts.interrupted()).toBe(true)
  interrupts.answering(false)
  expect(interrupts.interrupted()).toBe(false)
  source.emit('SIGINT')
  await interrupts.left
  expect(heard).toEqual([])
  interrupts.close()
  source.emit('SIGINT')
  expect(heard).toEqual(['outer'])
})
