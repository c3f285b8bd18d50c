/** What a template is given besides the messages, and which template a folder means. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { chatTemplate } from '../../src/text/template.js'
import { freezeTemplateDate } from '../../src/text/template-date.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const question: Message[] = [{ role: 'user', content: 'Hi' }]
const said = '{% for m in messages %}{{ m.content }}{% endfor %}'
const withConfig = (config: Record<string, unknown>) => loadTokenizer(writeTinyTokenizer({ config }))

afterEach(() => freezeTemplateDate(undefined))

test('tools and documents are none, and special tokens that are not named are undefined', async () => {
  const source = `{{ tools is none }} {{ documents is none }} {{ pad_token }} {{ unk_token }} {{ mask_token is defined }} ${said}`
  const tokenizer = await withConfig({
    eos_token: '<|endoftext|>',
    pad_token: '<|im_end|>',
    unk_token: { content: '<s>' },
  })
  expect((await chatTemplate(tokenizer, source)).prompt(question)).toBe('True True <|im_end|> <s> False Hi')
})

test('the tools of a dialogue are the variable, not part of a message', async () => {
  const source = `{{ tools[0].function.name }} {{ messages[0].tools is defined }} {{ tools | tojson }} ${said}`
  const tools = [{ type: 'function', function: { name: 'weather' } }]
  const template = await chatTemplate(
    await withConfig({}),
    source.replace('{{ tools[0].function.name }}', '{{ tools[0].function.name if tools }}'),
  )
  expect(template.prompt([{ role: 'user', content: 'Hi', tools }])).toBe(
    'weather False [{"type": "function", "function": {"name": "weather"}}] Hi',
  )
})

test('a frozen date is what strftime_now writes', async () => {
  const template = await chatTemplate(await withConfig({}), `{{ strftime_now('%d %b %Y') }} ${said}`)
  freezeTemplateDate(new Date(2024, 6, 26, 12))
  expect(template.prompt(question)).toBe('26 Jul 2024 Hi')
  expect([template.dated, (await chatTemplate(await withConfig({}), said)).dated]).toEqual([true, false])
})

describe('which template', () => {
  const list = (...names: string[]) => names.map((name) => ({ name, template: `${name}: ${said}` }))
  test('of several the one named default, as a list or a mapping', async () => {
    const listed = await withConfig({
      eos_token: '<|endoftext|>',
      chat_template: list('tool_use', 'default'),
    })
    expect((await chatTemplate(listed)).prompt(question)).toBe('default: Hi')
    const mapped = await withConfig({
      eos_token: '<|endoftext|>',
      chat_template: { default: `d: ${said}`, rag: 'x' },
    })
    expect((await chatTemplate(mapped)).prompt(question)).toBe('d: Hi')
  })

  test.each([
    ['several without a default', list('chat', 'tool_use'), /none is named default: chat, tool_use/],
    ['a mapping without a default', { chat: 'x' }, /none is named default: chat/],
    ['a number', 5, /neither a text nor named texts/],
    ['a list of texts', ['x'], /neither a text nor named texts/],
  ])('%s is an error, and another may be named', async (_, chat_template, message) => {
    const tokenizer = await withConfig({ eos_token: '<|endoftext|>', chat_template })
    await expect(chatTemplate(tokenizer)).rejects.toThrow(message)
    expect((await chatTemplate(tokenizer, 'hh')).name).toBe('hh')
  })
})
