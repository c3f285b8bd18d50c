import { expect, test } from 'vitest'
import { namesAuthor } from '../../src/vote/identity.js'

test('answers that give their author away are seen', () => {
  for (const text of [
    'I am Qwen, created by Alibaba Cloud.',
    'Hello! I’m ChatGPT, how can I help?',
    'As Claude, I try to be careful.',
    'I was trained by Google.',
    'My name is Llama.',
    '我是通义千问',
    '我是Qwen大模型',
    'I am GPT-4o, and I was made by OpenAI.',
    'I’m Phi-3, made by Microsoft.',
    'I am Yi.',
    'My name is Start.',
    'Here at runs/tuned-7b we say yes.',
  ])
    expect(namesAuthor(text, ['start', 'tuned-7b']), text).toBe(true)
})

test('answers that speak of models, or of animals, are not', () => {
  for (const text of [
    'GPT-4 and Claude are language models.',
    'A llama is an animal of the Andes.',
    'I am happy to help. The start is easy.',
    'Google was founded in 1998.',
    'Falcons fly fast; I am not sure how fast.',
    "I am sorry, but I can't help with phishing.",
    "I'm happy to explain the philosophy of Kant.",
    'This is a good yield for the year.',
    'I am in Philadelphia',
    'It was made by metal workers.',
    'It is 7 and base.',
    'I am happy to start from this base.',
    'It is 1000 in all.',
  ])
    expect(namesAuthor(text, ['base', 'start', 'aligned', '1000', 'tuned-7b']), text).toBe(false)
})
