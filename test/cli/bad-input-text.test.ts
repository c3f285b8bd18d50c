/** Tokenizers and chat templates that are broken or do not belong to the model. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'vitest'
import { badInputFolder, copyOf, lines, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const MESSAGES = lines({ prompt: [{ role: 'user', content: 'hello' }] })
const generate = (model: string, ...flags: string[]) => [
  ...['generate', '--model-name-or-path', model, '--eval-dataset', put(files, 'ask.jsonl', MESSAGES)],
  ...['--max-new-tokens', '2', '--threads', '1', '--output-file', '$out/answers.jsonl', ...flags],
]

let copies = 0

/** A copy of the model with other tokenizer files; undefined takes one away. */
function withFiles(changes: Record<string, string | undefined>): string {
  copies += 1
  const path = copyOf(files, 'model', `text-${copies}`)
  for (const [name, content] of Object.entries(changes))
    if (content === undefined) fs.rmSync(join(path, name))
    else fs.writeFileSync(join(path, name), content)
  return path
}

describe('tokenizers', () => {
  test.each<[string, string, RegExp]>([
    [
      'cut off',
      '{"version": "1.0", "model": {"type": "BP',
      /tokenizer\.json: not JSON: .*\n.*Fetch the file again/,
    ],
    ['a list', '[]', /tokenizer\.json: holds no JSON object/],
    ['an empty object', '{}', /tokenizer\.json: not a tokenizer: Model missing/],
    [
      'of a kind that is not known',
      '{"version":"1.0","added_tokens":[],"model":{"type":"Telepathy","vocab":{}}}',
      /tokenizer\.json: not a tokenizer/,
    ],
    [
      'with added tokens that are no list',
      '{"version":"1.0","added_tokens":3,"model":{"type":"BPE","vocab":{},"merges":[]}}',
      /tokenizer\.json: added_tokens is malformed/,
    ],
    ['an empty file', '', /tokenizer\.json: not JSON/],
  ])('tokenizer.json: %s', async (_, content, message) => {
    await refused(files, generate(withFiles({ 'tokenizer.json': content })), [message])
  })

  test('tokenizer_config.json: cut off', () =>
    refused(files, generate(withFiles({ 'tokenizer_config.json': '{"eos_token"' })), [
      /tokenizer_config\.json: not JSON/,
    ]))

  test('an end token that the vocabulary lacks', () =>
    refused(files, generate(withFiles({ 'tokenizer_config.json': '{"eos_token": "<|none|>"}' })), [
      /tokenizer_config\.json: eos_token is "<\|none\|>", which is not in the vocabulary\n.*Correct the name/,
    ]))

  test('SentencePiece alone', () =>
    refused(files, generate(withFiles({ 'tokenizer.json': undefined, 'tokenizer.model': '\n\x0e' })), [
      /tokenizer\.model: a SentencePiece model, and no tokenizer\.json beside it\n.*Convert it once/,
    ]))
})

describe('chat templates', () => {
  test.each<[string, string, RegExp]>([
    [
      'that is not closed',
      '{% for m in messages %}{{ m.content }}',
      /the chat template \(custom\) does not parse: .*\n.*or named: hh, chatml/,
    ],
    [
      'with a filter that is not known',
      '{{ messages | shuffle_well }}',
      /No filter named 'shuffle_well'\.\n.*name another template/,
    ],
    [
      'that refuses the messages',
      "{{ raise_exception('Only system turns, please') }}",
      /refuses a dialogue of .*: Only system turns, please/,
    ],
    [
      'that leaves the answer out',
      '{% for m in messages %}{% if m.role == "user" %}{{ m.content }}{% endif %}{% endfor %}',
      /leaves out the assistant turn\n.*Name another template/,
    ],
    [
      'with a name that is undefined',
      '{{ messages.first.second.third }}',
      /the chat template .*'first' of a list is undefined\n.*name another template/,
    ],
  ])('a file %s', async (name, content, message) => {
    await refused(files, generate(files.model, '--chat-template', put(files, `${name}.jinja`, content)), [
      message,
    ])
  })

  test('by a name that is none of ours', () =>
    refused(files, generate(files.model, '--chat-template', 'chatlm'), [
      /chat_template: chatlm: no such file\n.*one of hh, chatml/,
    ]))

  test('of the model itself, broken', () =>
    refused(files, generate(withFiles({ 'chat_template.jinja': '{% if %}' })), [
      /the chat template .* does not parse/,
    ]))
})
