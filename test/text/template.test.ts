/** Chat templates: prompt, answer and end token. */
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/dialogue.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const tiny = (options = {}) => loadTokenizer(writeTinyTokenizer(options))
const question: Message[] = [{ role: 'user', content: 'Hi?' }]

describe('presets', () => {
  test('hh: the prompt ends in "Assistant:" and the answer begins with the space', async () => {
    const template = await chatTemplate(await tiny())
    expect(template.name).toBe('hh')
    const dialogue: Message[] = [
      ...question,
      { role: 'assistant', content: 'Yes.' },
      { role: 'user', content: 'So?' },
    ]
    expect(template.prompt(dialogue)).toBe('\n\nHuman: Hi?\n\nAssistant: Yes.\n\nHuman: So?\n\nAssistant:')
    expect(template.answer('Well', dialogue)).toBe(' Well')
    expect([template.endToken, template.stops]).toEqual([undefined, ['\n\nHuman:']])
  })

  test('chatml: the end of turn is the end token where the tokenizer has it, else a stop text', async () => {
    const template = await chatTemplate(await tiny(), 'chatml')
    expect(template.prompt(question)).toBe('<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\n')
    expect(template.answer('Yes', question)).toBe('Yes')
    expect([template.endToken, template.stops]).toEqual(['<|im_end|>', []])
    const without = await chatTemplate(await tiny({ special: ['<|endoftext|>'] }), 'chatml')
    expect([without.endToken, without.stops]).toEqual([undefined, ['<|im_end|>']])
    expect(without.answer('Yes', question)).toBe('Yes')
  })

  test.each(['hh', 'chatml', 'plain'])('%s: literal text passes unchanged', async (name) => {
    const template = await chatTemplate(await tiny(), name)
    expect([template.prompt('Once'), template.answer(' upon', 'Once')]).toEqual(['Once', ' upon'])
  })
})

describe('jinja', () => {
  test("the tokenizer's own template is the default; an answer that holds the end token is cut at the last", async () => {
    const source =
      "{{ bos_token }}{% for m in messages %}{{ m.role[0] + ':' + m.content + eos_token }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"
    const tokenizer = await tiny({ chatTemplate: source, config: { bos_token: '<s>' } })
    const template = await chatTemplate(tokenizer)
    expect(template.prompt(question)).toBe('<s>u:Hi?<|endoftext|>a:')
    expect(template.endToken).toBe('<|endoftext|>')
    expect(template.answer('x<|endoftext|>y', question)).toBe('x<|endoftext|>y')
  })

  test('a template that does not parse, refuses a role or rewrites what was asked is an error', async () => {
    const tokenizer = await tiny()
    await expect(chatTemplate(tokenizer, '{% for %}')).rejects.toThrow(/does not parse/)
    await expect(chatTemplate(tokenizer, '{% for m in messages %}{{ m }}')).rejects.toThrow(
      /a block is not closed/,
    )
    const refusing =
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ m.content }}{% endfor %}"
    const template = await chatTemplate(tokenizer, refusing)
    expect(() => template.prompt([{ role: 'system', content: 'x' }, ...question])).toThrow(/no system/)
    const odd = await chatTemplate(
      tokenizer,
      '{% for m in messages %}{{ m.content if loop.last or messages[-1].role == "user" else "…" }}{% endfor %}',
    )
    expect(() => odd.answer('x', question)).toThrow(/writes the turns before the answer in another way/)
  })
})
