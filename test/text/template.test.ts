/** Chat templates: prompt, answer and end token. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/data/example.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { writeTinyTokenizer } from './tiny-tokenizer.js'

const tiny = (options = {}) => loadTokenizer(writeTinyTokenizer(options))
const question: Message[] = [{ role: 'user', content: 'Hi?' }]

describe('presets', () => {
  test('hh: the prompt ends in "Assistant:" and the answer begins with the space', async () => {
    const template = chatTemplate(await tiny())
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
    const template = chatTemplate(await tiny(), 'chatml')
    expect(template.prompt(question)).toBe('<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\n')
    expect(template.answer('Yes', question)).toBe('Yes')
    expect([template.endToken, template.stops]).toEqual(['<|im_end|>', []])
    const without = chatTemplate(await tiny({ special: ['<|endoftext|>'] }), 'chatml')
    expect([without.endToken, without.stops]).toEqual([undefined, ['<|im_end|>']])
    expect(without.answer('Yes', question)).toBe('Yes')
  })

  test.each(['hh', 'chatml', 'plain'])('%s: literal text passes unchanged', async (name) => {
    const template = chatTemplate(await tiny(), name)
    expect([template.prompt('Once'), template.answer(' upon', 'Once')]).toEqual(['Once', ' upon'])
  })
})

describe('jinja', () => {
  test("the tokenizer's own template is the default; an answer that holds the end token is cut at the last", async () => {
    const source =
      "{{ bos_token }}{% for m in messages %}{{ m.role[0] + ':' + m.content + eos_token }}{% endfor %}" +
      "{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"
    const tokenizer = await tiny({ chatTemplate: source, config: { bos_token: '<s>' } })
    const template = chatTemplate(tokenizer)
    expect(template.prompt(question)).toBe('<s>u:Hi?<|endoftext|>a:')
    expect(template.endToken).toBe('<|endoftext|>')
    expect(template.answer('x<|endoftext|>y', question)).toBe('x<|endoftext|>y')
  })

  test('a template that does not parse, refuses a role or leaves its own prompt is an error', async () => {
    const tokenizer = await tiny()
    expect(() => chatTemplate(tokenizer, '{% for %}')).toThrow(/does not parse/)
    const refusing =
      "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ m.content }}{% endfor %}"
    const template = chatTemplate(tokenizer, refusing)
    expect(() => template.prompt([{ role: 'system', content: 'x' }, ...question])).toThrow(/no system/)
    const odd = chatTemplate(
      tokenizer,
      '{% for m in messages %}{{ m.content }}{% endfor %}{% if add_generation_prompt %}{{ "#" }}{% endif %}',
    )
    expect(() => odd.answer('x', question)).toThrow(/does not continue/)
  })
})

const FILE = '../shared/fixtures/text/chat_templates.json'
interface Recorded {
  messages: Record<string, Message[]>
  templates: {
    name: string
    special: Record<string, string>
    template: string
    renderings: { messages: string; add_generation_prompt?: boolean; text?: string; error?: string }[]
  }[]
}
const recorded = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Recorded) : undefined

/** Where the jinja library differs: an empty string equals false; `lstrip` takes no characters and strips all white space. */
const KNOWN = new Set(['llama2 empty_contents', 'qwen3 whitespace', 'qwen3_training whitespace'])

describe.skipIf(!recorded)(
  'recorded renderings of transformers (skipped without the shared fixtures)',
  () => {
    test.each(recorded?.templates ?? [])(
      '$name: prompts equal, prompt + answer + end stands in the whole',
      async (item) => {
        const special = [
          ...new Set(Object.values(item.special)),
          '<|im_end|>',
          '<|eot_id|>',
          '<end_of_turn>',
          '<|end|>',
        ]
        const tokenizer = await tiny({ special: [...new Set(special)], config: item.special })
        const template = chatTemplate(tokenizer, item.template)
        let checked = 0
        for (const rendering of item.renderings) {
          const messages = recorded?.messages[rendering.messages] ?? []
          if (rendering.text === undefined || KNOWN.has(`${item.name} ${rendering.messages}`)) continue
          if (rendering.add_generation_prompt && messages.at(-1)?.role === 'user') {
            expect(template.prompt(messages)).toBe(rendering.text)
            checked++
          }
          const last = messages.at(-1)
          if (rendering.add_generation_prompt !== false || last?.role !== 'assistant' || messages.length < 2)
            continue
          const prompt = messages.slice(0, -1)
          let joined: string
          try {
            joined = template.prompt(prompt) + template.answer(last.content, prompt)
          } catch (error) {
            expect((error as Error).message).toMatch(/does not continue|refuses/)
            continue
          }
          expect(rendering.text.slice(0, joined.length + (template.endToken ?? '').length)).toBe(
            joined + (template.endToken ?? ''),
          )
          checked++
        }
        expect(checked).toBeGreaterThan(0)
      },
    )
  },
)
