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
  ])
    expect(namesAuthor(text, ['base', 'tuned-7b']), text).toBe(false)
})
