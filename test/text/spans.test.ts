/** What the assistant wrote, found by marks and by prefixes; Python's way to compare and to strip. */
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { assistantMask, assistantSpans } from '../../src/text/assistant-spans.js'
import { equals, fromJson } from '../../src/text/jinja/values.js'
import { pythonStrip } from '../../src/text/jinja/white-space.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const tiny = () => loadTokenizer(writeTinyTokenizer())
const dialogue: Message[] = [
  { role: 'user', content: '😀?' },
  { role: 'assistant', content: 'Yes' },
  { role: 'user', content: 'So' },
  { role: 'assistant', content: 'No' },
]
const cut = ({ text, spans }: ReturnType<typeof assistantSpans>) => spans.map(([a, b]) => text.slice(a, b))

describe('spans', () => {
  test('generation blocks say where; the text is the same as without them', async () => {
    const source =
      "{% for m in messages %}[{{ m.role }}]\n{%- if m.role == 'assistant' %}\n  {%- generation -%} {{ m.content }}! {% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}"
    const template = await chatTemplate(await tiny(), source)
    const found = assistantSpans(template, dialogue)
    expect(found.text).toBe(template.render(dialogue))
    expect(cut(found)).toEqual(['Yes! ', 'No! '])
  })

  test('without them a turn is what it adds to the generation prompt, end token included', async () => {
    expect(cut(assistantSpans(await chatTemplate(await tiny(), 'chatml'), dialogue))).toEqual([
      'Yes<|im_end|>',
      'No<|im_end|>',
    ])
    expect(cut(assistantSpans(await chatTemplate(await tiny(), 'hh'), dialogue))).toEqual([' Yes', ' No'])
  })

  test('a template that rewrites earlier turns is an error that says how to mark them', async () => {
    const forgetful =
      "{% for m in messages %}[{{ m.role }}]{% if loop.last or m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}"
    const template = await chatTemplate(await tiny(), forgetful)
    expect(() => assistantSpans(template, dialogue)).toThrow(/writes turn 2 in another way/)
  })

  test('the mask holds the tokens from the first to the last character of each span', async () => {
    const text = await (await tiny()).encode('a😀bc')
    expect(assistantMask(text, [[3, 5]]).map(Number)).toEqual([0, 0, 0, 0, 0, 1, 1])
    // Four byte tokens hold the emoji; transformers takes the first of the last character's tokens.
    expect(assistantMask(text, [[0, 3]]).map(Number)).toEqual([1, 1, 0, 0, 0, 0, 0])
  })
})

describe('a final message to go on with', () => {
  test('the text ends where its content ends', async () => {
    const template = await chatTemplate(await tiny(), 'chatml')
    const text = template.render(dialogue, { continueFinalMessage: true })
    expect(text.endsWith('<|im_start|>assistant\nNo')).toBe(true)
  })

  test('a template that trims leaves no white space behind it', async () => {
    const trimming = '{% for m in messages %}<{{ m.content | trim }}>{% endfor %}'
    const template = await chatTemplate(await tiny(), trimming)
    const open: Message[] = [{ role: 'assistant', content: ' a  ' }]
    expect(template.render(open, { continueFinalMessage: true })).toBe('<a')
  })

  test('both ends at once are an error, and so is a template without the content', async () => {
    const template = await chatTemplate(await tiny(), 'chatml')
    expect(() =>
      template.render(dialogue, { continueFinalMessage: true, addGenerationPrompt: true }),
    ).toThrow(/exclude each other/)
  })
})

describe('as Python does', () => {
  test.each([
    ['', false, false],
    [1, true, true],
    [0, '', false],
    [null, 0, false],
    [[1, 'a'], [true, 'a'], true],
    [{ k: 1 }, { k: 1 }, true],
    [{ k: 1 }, { j: 1 }, false],
  ] as [unknown, unknown, boolean][])('%j == %j is %s', (a, b, equal) => {
    expect(equals(fromJson(a), fromJson(b))).toBe(equal)
  })

  test('strip takes characters, and white space is what Python calls so', () => {
    expect(pythonStrip('\n\n a\n', 'lstrip', '\n')).toBe(' a\n')
    expect(pythonStrip('xyaxy', 'strip', 'yx')).toBe('a')
    expect(pythonStrip('\u0085\x1ca\ufeff ', 'strip')).toBe('a\ufeff')
    expect(pythonStrip('  a ', 'rstrip')).toBe('  a')
  })
})
