/** Generation prompts that the answered dialogue does not begin with: the prompt is what both share. */
import { expect, test } from 'vitest'
import { encodeExamples } from '../../src/data/encode/encode.js'
import type { Message } from '../../src/dialogue.js'
import { assistantSpans } from '../../src/text/assistant-spans.js'
import { chatTemplate, trainedTexts } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const R1 =
  "{% for m in messages %}{% if m.role == 'user' %}<|U|>{{ m.content }}{% else %}<|A|>{{ m.content.split('</think>')[-1] }}<|im_end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|A|><think>\n{% endif %}"
const question: Message[] = [{ role: 'user', content: 'Name a fruit.' }]
const tiny = () => loadTokenizer(writeTinyTokenizer())

test('a prompt that opens a thought is trained up to where finished turns go on', async () => {
  const template = await chatTemplate(await tiny(), R1)
  expect(template.prompt(question)).toBe('<|U|>Name a fruit.<|A|><think>\n')
  expect(trainedTexts(template, question, ['Apple.', 'Car.'])).toEqual({
    prompt: '<|U|>Name a fruit.<|A|>',
    answers: ['Apple.', 'Car.'],
  })
  const dialogue: Message[] = [...question, { role: 'assistant', content: 'Apple.' }]
  const { text, spans } = assistantSpans(template, dialogue)
  expect(spans.map(([from, to]) => text.slice(from, to))).toEqual(['Apple.<|im_end|>'])
})

test('a generation prompt that stands before the question is refused: the question would be learned', async () => {
  const before =
    '{% if add_generation_prompt %}GO {% endif %}{% for m in messages %}[{{ m.content }}]{% endfor %}'
  const template = await chatTemplate(await tiny(), before)
  expect(() => trainedTexts(template, question, ['Apple.', 'Car.'])).toThrow(
    'writes the turns before the answer in another way',
  )
})

test('answers that share less than another share that less', async () => {
  const open =
    '{% for m in messages %}[{{ m.content }}]{% endfor %}{% if add_generation_prompt %}[<t>{% endif %}'
  const template = await chatTemplate(await tiny(), open)
  expect(trainedTexts(template, question, ['<t>a', 'b'])).toEqual({
    prompt: '[Name a fruit.][',
    answers: ['<t>a', 'b'],
  })
  // Half of a surrogate pair is never shared: these two differ in the second half.
  const emoji =
    '{% for m in messages %}[{{ m.content }}]{% endfor %}{% if add_generation_prompt %}[😀{% endif %}'
  expect(trainedTexts(await chatTemplate(await tiny(), emoji), question, ['😁']).prompt).toBe(
    '[Name a fruit.][',
  )
})

test('the tokens are those of prompt and answer as trained, the end token behind them', async () => {
  const tokenizer = await tiny()
  const example = {
    id: '1',
    prompt: question,
    candidates: [{ text: 'Apple.' }, { text: 'Car.' }],
    preferences: [{ better: 0, worse: 1 }],
    source: 's',
    file: 'rows.jsonl',
    row: 1,
  }
  const { encoded } = await encodeExamples([example], tokenizer, await chatTemplate(tokenizer, R1), {
    maxLength: 128,
  })
  const text = await tokenizer.decode([...encoded[0].promptIds, ...encoded[0].answers[0].ids], {
    keepSpecial: true,
  })
  expect(text).toBe('<|U|>Name a fruit.<|A|>Apple.<|im_end|>')
})
