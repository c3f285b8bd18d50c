/** What each reward model is given to read: texts and ids, exactly. */
import { describe, expect, test } from 'vitest'
import { encodeExamples } from '../../src/data/encode/encode.js'
import type { Example } from '../../src/data/example.js'
import type { Message, Prompt } from '../../src/dialogue.js'
import { rewardTemplate } from '../../src/reward/input-format.js'
import type { ChatTemplate } from '../../src/text/template.js'
import { loadTokenizer, type TextTokenizer } from '../../src/text/tokenizer.js'
import { hasTokenizer, recordedTokenizer } from '../text/recorded.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const dialogue: Message[] = [
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Yes?' },
  { role: 'user', content: 'Why' },
]
const exampleOf = (prompt: Prompt, ...answers: string[]): Example => ({
  id: 'x',
  prompt,
  candidates: answers.map((text) => ({ text })),
  preferences: [],
  source: '',
  file: 'a.jsonl',
  row: 1,
})
const LIMITS = { maxLength: 200, maxPromptLength: 150 }
const FRAME = ['[CLS]', 'A', '[SEP]', 'B', '[SEP]']

/** Ids 256 … 259 are [CLS], [SEP], the prompter's and the assistant's tag; 260 is EOS. */
const tagged = (options: { chatTemplate?: string } = {}) => {
  const piece = (id: string) => ({ [id.length === 1 ? 'Sequence' : 'SpecialToken']: { id, type_id: 0 } })
  const ids = (id: string, n: number) => ({ [id]: { id, ids: [n], tokens: [id] } })
  const postProcessor = {
    type: 'TemplateProcessing',
    single: FRAME.slice(0, 3).map(piece),
    pair: FRAME.map(piece),
    special_tokens: { ...ids('[CLS]', 256), ...ids('[SEP]', 257) },
  }
  const special = ['[CLS]', '[SEP]', '<|prompter|>', '<|assistant|>', '<|endoftext|>']
  return loadTokenizer(writeTinyTokenizer({ special, postProcessor, ...options }))
}

/** Whole texts as the model sees them: prompt and answer, decoded. */
async function seen(tokenizer: TextTokenizer, template: ChatTemplate, example: Example) {
  const { encoded } = await encodeExamples([example], tokenizer, template, LIMITS)
  const [{ promptIds, answers }] = encoded
  const texts = answers.map(({ ids }) => tokenizer.decode([...promptIds, ...ids], { keepSpecial: true }))
  return { texts: await Promise.all(texts), shared: promptIds.length }
}

describe('oasst', () => {
  test('tag, text and EOS for each turn, and the answer behind a bare tag; the prompt is shared', async () => {
    const tokenizer = await tagged()
    const template = await rewardTemplate({ tokenizer, format: 'oasst' })
    const found = await seen(tokenizer, template, exampleOf(dialogue, 'No.', 'So.'))
    const before =
      '<|prompter|>Hi<|endoftext|><|assistant|>Yes?<|endoftext|><|prompter|>Why<|endoftext|><|assistant|>'
    expect(found.texts).toEqual([`${before}No.<|endoftext|>`, `${before}So.<|endoftext|>`])
    expect(found.shared).toBe(6 + 2 + 4 + 3 + 1)
  })

  test('literal text is one turn of the user; tools have no turn', async () => {
    const tokenizer = await tagged()
    const template = await rewardTemplate({ tokenizer, format: 'oasst' })
    expect(template.prompt('POST\nTL;DR:')).toBe('<|prompter|>POST\nTL;DR:<|endoftext|><|assistant|>')
    expect(() => template.prompt([{ role: 'tool', content: '1' }])).toThrow(/no turns of tools/)
  })

  test.skipIf(!hasTokenizer('gpt-neox-20b'))(
    'the ids of gpt-neox-20b (skipped without the shared tokenizers)',
    async () => {
      const tokenizer = await recordedTokenizer('gpt-neox-20b')
      const template = await rewardTemplate({ tokenizer, modelType: 'gpt_neox_reward_model' })
      const { encoded } = await encodeExamples(
        [exampleOf('Hello world', 'Hello')],
        tokenizer,
        template,
        LIMITS,
      )
      const text = '<|prompter|>Hello world<|endoftext|><|assistant|>Hello<|endoftext|>'
      const whole = [...encoded[0].promptIds, ...encoded[0].answers[0].ids]
      expect(whole).toEqual((await tokenizer.encode(text)).ids)
      // EOS is 0; this vocabulary spells the tags, an Open-Assistant model's has them as tokens.
      expect(whole.filter((id) => id === 0)).toHaveLength(2)
      expect(await tokenizer.decode(whole, { keepSpecial: true })).toBe(text)
    },
  )
})

describe('pair', () => {
  test('[CLS] question [SEP] answer [SEP], the question shared', async () => {
    const tokenizer = await tagged()
    const template = await rewardTemplate({ tokenizer, modelType: 'deberta-v2' })
    const found = await seen(tokenizer, template, exampleOf([dialogue[0]], 'No.', ''))
    expect(found.texts).toEqual(['[CLS]Hi[SEP]No.[SEP]', '[CLS]Hi[SEP][SEP]'])
    expect(found.shared).toBe(4)
  })

  test('several turns are one question; literal text is the question', async () => {
    const template = await rewardTemplate({ tokenizer: await tagged(), format: 'pair' })
    expect(template.prompt(dialogue)).toBe('Human: Hi\n\nAssistant: Yes?\n\nHuman: Why')
    expect(template.prompt('POST\nTL;DR:')).toBe('POST\nTL;DR:')
  })

  test('a prompt that is cut keeps [CLS] and [SEP], and a cut answer its [SEP]', async () => {
    const tokenizer = await tagged()
    const template = await rewardTemplate({ tokenizer, format: 'pair' })
    const { encoded, report } = await encodeExamples([exampleOf('abcdef', 'uvwxyz')], tokenizer, template, {
      maxLength: 8,
      maxPromptLength: 4,
    })
    const [{ promptIds, answers }] = encoded
    const text = await tokenizer.decode([...promptIds, ...answers[0].ids], { keepSpecial: true })
    expect(text).toBe('[CLS]ef[SEP]uvw[SEP]')
    expect([report.promptsCut, report.answersCut]).toEqual([1, 1])
  })

  test('a tokenizer without pairs is an error', async () => {
    const tokenizer = await loadTokenizer(writeTinyTokenizer())
    await expect(rewardTemplate({ tokenizer, format: 'pair' })).rejects.toThrow(/no form for a pair/)
  })
})

describe('auto', () => {
  test.each([
    ['an encoder', { modelType: 'deberta-v2' }, {}, 'pair'],
    ["Open-Assistant's model type", { modelType: 'gpt_neox_reward_model' }, {}, 'oasst'],
    ["Open-Assistant's tags in the vocabulary", { modelType: 'llama' }, {}, 'oasst'],
    [
      'a chat template of its own',
      { modelType: 'llama' },
      { chatTemplate: '{{ messages[0].content }}{{ messages[-1].content }}' },
      'tokenizer',
    ],
  ])('%s', async (_, options, files, name) => {
    expect((await rewardTemplate({ tokenizer: await tagged(files), ...options })).name).toBe(name)
  })

  test('anything else reads the chat template of the config, else hh', async () => {
    const tokenizer = await loadTokenizer(writeTinyTokenizer())
    expect((await rewardTemplate({ tokenizer, modelType: 'llama' })).name).toBe('hh')
    expect((await rewardTemplate({ tokenizer, modelType: 'llama', chatTemplate: 'chatml' })).name).toBe(
      'chatml',
    )
    expect((await rewardTemplate({ tokenizer, format: 'zephyr', chatTemplate: 'chatml' })).name).toBe(
      'zephyr',
    )
    expect(
      (await rewardTemplate({ tokenizer, format: '{% for m in messages %}{{ m.content }}{% endfor %}' }))
        .name,
    ).toBe('custom')
  })
})

describe('double BOS', () => {
  test('a template that writes the BOS that the tokenizer adds is counted and told; one is kept', async () => {
    const config = { bos_token: '<s>', add_bos_token: true }
    const tokenizer = await loadTokenizer(writeTinyTokenizer({ config }))
    const template = await rewardTemplate({ tokenizer, format: 'llama3' })
    const { encoded, report } = await encodeExamples([exampleOf(dialogue, 'No.')], tokenizer, template, {
      ...LIMITS,
      maxLength: 400,
      maxPromptLength: 380,
    })
    expect([...encoded[0].promptIds].filter((id) => id === tokenizer.bosId)).toHaveLength(1)
    expect(report.doubleBos).toBe(1)
    expect(report.warnings.join()).toMatch(/double BOS.*1 of 1 prompts/)
    const plain = await rewardTemplate({ tokenizer, format: 'hh' })
    const other = await encodeExamples([exampleOf(dialogue, 'No.')], tokenizer, plain, LIMITS)
    expect([other.report.doubleBos, other.encoded[0].promptIds[0]]).toEqual([0, tokenizer.bosId])
  })
})
