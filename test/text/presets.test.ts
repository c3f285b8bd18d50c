/** Named chat templates: the exact text of one dialogue in each, and what ends an answer. */
import { expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { chatTemplate, TEMPLATE_NAMES } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const dialogue: Message[] = [
  { role: 'user', content: 'Hi ' },
  { role: 'assistant', content: 'Yes?' },
  { role: 'user', content: 'Why' },
]

const SPECIAL = ['<s>', '</s>', '<|im_end|>', '<|eot_id|>', '<end_of_turn>', '<|end|>']
const tokenizer = () =>
  loadTokenizer(writeTinyTokenizer({ special: SPECIAL, config: { bos_token: '<s>', eos_token: '</s>' } }))

/** Name, text up to where the answer begins, end of an answer. */
const TABLE: [string, string, string | undefined][] = [
  ['hh', '\n\nHuman: Hi \n\nAssistant: Yes?\n\nHuman: Why\n\nAssistant:', undefined],
  ['plain', 'Hi \nYes?\nWhy', undefined],
  [
    'chatml',
    '<|im_start|>user\nHi <|im_end|>\n<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nWhy<|im_end|>\n<|im_start|>assistant\n',
    '<|im_end|>',
  ],
  ['llama2', '<s>[INST] Hi [/INST] Yes? </s><s>[INST] Why [/INST]', '</s>'],
  [
    'llama3',
    '<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nYes?<|eot_id|>' +
      '<|start_header_id|>user<|end_header_id|>\n\nWhy<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    '<|eot_id|>',
  ],
  ['mistral', '<s>[INST] Hi  [/INST]Yes?</s> [INST] Why [/INST]', '</s>'],
  ['zephyr', '<|user|>\nHi </s>\n<|assistant|>\nYes?</s>\n<|user|>\nWhy</s>\n<|assistant|>\n', '</s>'],
  [
    'vicuna',
    'A chat between a curious user and an artificial intelligence assistant. USER: Hi ASSISTANT: Yes?</s>USER: Why ASSISTANT:',
    '</s>',
  ],
  [
    'gemma',
    '<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nYes?<end_of_turn>\n' +
      '<start_of_turn>user\nWhy<end_of_turn>\n<start_of_turn>model\n',
    '<end_of_turn>',
  ],
  [
    'phi3',
    '<|user|>\nHi <|end|>\n<|assistant|>\nYes?<|end|>\n<|user|>\nWhy<|end|>\n<|assistant|>\n',
    '<|end|>',
  ],
  [
    'qwen2_5',
    '<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' +
      '<|im_start|>user\nHi <|im_end|>\n<|im_start|>assistant\nYes?<|im_end|>\n<|im_start|>user\nWhy<|im_end|>\n<|im_start|>assistant\n',
    '<|im_end|>',
  ],
]

test.each(TABLE)('%s: prompt, answer and end of turn', async (name, prompt, end) => {
  const template = await chatTemplate(await tokenizer(), name)
  expect(template.prompt(dialogue)).toBe(prompt)
  expect(template.endToken).toBe(end)
  expect(template.prompt(dialogue) + template.answer('So.', dialogue)).toMatch(/So\.(?: ?)$/)
  expect(template.name).toBe(name)
})

test('every name is in the table above', () => {
  expect(TABLE.map(([name]) => name).sort()).toEqual([...TEMPLATE_NAMES].sort())
})

test.each([
  ['gemma', [{ role: 'system', content: 'x' }, ...dialogue], /no system turn/],
  ['mistral', [{ role: 'system', content: 'x' }, ...dialogue], /take turns/],
  ['llama2', dialogue.slice(1), /take turns/],
] as [string, Message[], RegExp][])('%s refuses what its models never saw', async (name, messages, why) => {
  const template = await chatTemplate(await tokenizer(), name)
  expect(() => template.render(messages)).toThrow(why)
})

test('llama2 and vicuna have a place for the system turn', async () => {
  const system: Message[] = [
    { role: 'system', content: 'Be kind.' },
    { role: 'user', content: 'Hi' },
  ]
  const written = async (name: string, t: Awaited<ReturnType<typeof tokenizer>>) =>
    (await chatTemplate(t, name)).prompt(system)
  const t = await tokenizer()
  expect(await written('llama2', t)).toBe('<s>[INST] <<SYS>>\nBe kind.\n<</SYS>>\n\nHi [/INST]')
  expect(await written('vicuna', t)).toBe('Be kind. USER: Hi ASSISTANT:')
})

test('qwen2_5 gathers neighbouring tool results in one turn', async () => {
  const messages: Message[] = [
    { role: 'system', content: 'S' },
    { role: 'tool', content: '1' },
    { role: 'tool', content: '2' },
  ]
  const response = (text: string) => `\n<tool_response>\n${text}\n</tool_response>`
  expect((await chatTemplate(await tokenizer(), 'qwen2_5')).render(messages)).toBe(
    `<|im_start|>system\nS<|im_end|>\n<|im_start|>user${response('1')}${response('2')}<|im_end|>\n`,
  )
})
