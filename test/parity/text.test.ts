import type { Message } from '../../src/dialogue.js'
import { assistantMask, assistantSpans } from '../../src/text/assistant-spans.js'
import { type ChatTemplate, chatTemplate, TEMPLATE_NAMES } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { hasTokenizer, recordedTokenizer } from '../text/recorded.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'
import { type Check, entries, json, locate, parity, skip, unequal } from './parity.js'

interface RecordedIds {
  vocab_size: number
  ids: number[][]
  ids_with_special: number[][] | 'same'
  decode_not_roundtrip: Record<number, string>
  decode_skip_special_of_ids_with_special_not_roundtrip: Record<number, string>
  prefix_decodes: { string: number; prefix_decodes: string[] }[]
}

async function compareTokenizer(check: Check, name: string): Promise<void> {
  const tokenizer = await recordedTokenizer(name)
  const { strings } = json<{ strings: string[] }>('text/strings.json')
  const want = json<RecordedIds>(`text/tokenizers/${name}.json`)
  /** Each string by itself, so that a failure names it. */
  const each = (what: string, found: unknown[], expected: (i: number) => unknown) =>
    found.forEach((value, i) => {
      check(what, unequal(value, expected(i)), 0, `string ${i}`)
    })
  const ids = (await tokenizer.encodeBatch(strings)).map((text) => text.ids)
  check('vocabulary', Math.abs(tokenizer.vocabSize - want.vocab_size), 0)
  check('strings', Math.abs(strings.length - want.ids.length), 0)
  each('ids', ids, (i) => want.ids[i])
  const { before, after } = tokenizer.frames.single
  const framed = ids.map((list) => [...before, ...list, ...after])
  each('ids with special tokens', framed, (i) =>
    want.ids_with_special === 'same' ? want.ids[i] : want.ids_with_special[i],
  )
  const texts = await Promise.all(ids.map((list) => tokenizer.decode(list, { keepSpecial: true })))
  each('decoded', texts, (i) => want.decode_not_roundtrip[i] ?? strings[i])
  const bare = await Promise.all(framed.map((list) => tokenizer.decode(list)))
  const skipped = want.decode_skip_special_of_ids_with_special_not_roundtrip
  each('decoded without special tokens', bare, (i) => skipped[i] ?? strings[i])
  for (const { string, prefix_decodes } of want.prefix_decodes) {
    const grown = prefix_decodes.map((_, k) =>
      tokenizer.decode(ids[string].slice(0, k + 1), { keepSpecial: true }),
    )
    check('growing prefixes', unequal(await Promise.all(grown), prefix_decodes), 0, `string ${string}`)
  }
}

const tokenizers = entries('text/tokenizers').map((file) => file.replace(/\.json$/, ''))
if (tokenizers.length === 0) skip('text/tokenizers', 'not in this tree')
for (const name of tokenizers) {
  const path = `text/tokenizers/${name}.json`
  if (hasTokenizer(name)) parity(path, (check) => compareTokenizer(check, name))
  else skip(path, 'its tokenizer is not on this machine')
}

interface Rendering {
  messages: string
  add_generation_prompt?: boolean
  continue_final_message?: boolean
  text?: string
  error?: string
  generation_spans_utf16?: [number, number][]
  smollm2_ids?: number[]
  smollm2_assistant_mask?: number[]
}

interface RecordedTemplate {
  name: string
  special: Record<string, string>
  template: string
  renderings: Rendering[]
}

interface RecordedTemplates {
  messages: Record<string, Message[]>
  templates: RecordedTemplate[]
}

const TEMPLATES = 'text/chat_templates.json'
const MASKED_WITH = 'smollm2-135m'

async function compareTemplate(
  check: Check,
  { name, special, template, renderings }: RecordedTemplate,
  messages: Record<string, Message[]>,
): Promise<void> {
  const tokenizer = await loadTokenizer(
    writeTinyTokenizer({ special: [...new Set(Object.values(special))], config: special }),
  )
  const compare = (what: string, source: ChatTemplate) => {
    for (const r of renderings) {
      const options = {
        addGenerationPrompt: r.add_generation_prompt,
        continueFinalMessage: r.continue_final_message,
      }
      let found: string | Error
      try {
        found = source.render(messages[r.messages], options)
      } catch (error) {
        found = error as Error
      }
      const same = r.error === undefined ? unequal(found, r.text) : unequal(found instanceof Error, true)
      check(what, same, 0, `${r.messages} ${JSON.stringify(options)}`)
    }
  }
  const source = await chatTemplate(tokenizer, template)
  compare('texts', source)
  // Presets are written anew: they have to give what the published template gives.
  if (TEMPLATE_NAMES.includes(name)) compare('preset', await chatTemplate(tokenizer, name))
  const marked = renderings.filter((r) => r.generation_spans_utf16)
  if (marked.length === 0 || !hasTokenizer(MASKED_WITH)) return
  const smollm2 = await recordedTokenizer(MASKED_WITH)
  for (const r of marked) {
    const { text, spans } = assistantSpans(source, messages[r.messages])
    check('spans', unequal([text, spans], [r.text, r.generation_spans_utf16]), 0, r.messages)
    const encoded = await smollm2.encode(text)
    check('ids', unequal(encoded.ids, r.smollm2_ids), 0, r.messages)
    const mask = assistantMask(encoded, spans).map(Number)
    check('masks', unequal(mask, r.smollm2_assistant_mask), 0, r.messages)
  }
}

if (locate(TEMPLATES) === undefined) skip(TEMPLATES, 'not in this tree')
else {
  const { templates, messages } = json<RecordedTemplates>(TEMPLATES)
  for (const template of templates)
    parity(TEMPLATES, (check) => compareTemplate(check, template, messages), template.name)
}
