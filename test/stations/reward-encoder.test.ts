/** A DeBERTa folder in the commands: it scores pairs, and is refused where a model has to be trained. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { badInputFolder, call } from '../cli/bad-input-helpers.js'
import { fixture } from '../fixtures.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

/** The recorded encoder has 96 embeddings: one character each, and the special tokens of a pair. */
function encoderFolder(): string {
  const dir = tempFolder('encoder')
  for (const name of ['config.json', 'model.safetensors'])
    fs.copyFileSync(fixture(`models/rm_deberta_v3/${name}`), join(dir, name))
  const special = ['[PAD]', '[CLS]', '[SEP]', '[UNK]']
  const characters = [...Array(80).keys()].map((i) => String.fromCharCode(43 + i))
  const vocab = Object.fromEntries([...special, ' ', ...characters].map((token, id) => [token, id]))
  const piece = (id: string) => ({ [id.length === 1 ? 'Sequence' : 'SpecialToken']: { id, type_id: 0 } })
  const named = (id: string) => [id, { id, ids: [vocab[id]], tokens: [id] }]
  const flags = { special: true, single_word: false, lstrip: false, rstrip: false, normalized: false }
  const tokenizer = {
    version: '1.0',
    added_tokens: special.map((content, id) => ({ id, content, ...flags })),
    post_processor: {
      type: 'TemplateProcessing',
      single: ['[CLS]', 'A', '[SEP]'].map(piece),
      pair: ['[CLS]', 'A', '[SEP]', 'B', '[SEP]'].map(piece),
      special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map(named)),
    },
    decoder: { type: 'Fuse' },
    model: { type: 'BPE', unk_token: '[UNK]', vocab, merges: [] },
  }
  fs.writeFileSync(join(dir, 'tokenizer.json'), JSON.stringify(tokenizer))
  fs.writeFileSync(join(dir, 'tokenizer_config.json'), JSON.stringify({ eos_token: '[SEP]' }))
  return dir
}

const files = badInputFolder()
const encoder = encoderFolder()
const score = (...flags: string[]) => [
  ...['reward', 'score', files.data, '--reward-model', encoder, '--threads', '1', '--max-length', '128'],
  ...flags,
]

test('it scores every answer of a file, in its pair format, and knows them the next time', async () => {
  const out = join(tempFolder('scores'), 'scored.jsonl')
  const cache = ['--score-cache-dir', tempFolder('cache'), '--output-file', out]
  const first = await call(files, score(...cache))
  expect([first.code, first.complaint]).toEqual([0, ''])
  const rows = fs
    .readFileSync(out, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  const scores = rows.flatMap((row) => [row.score_chosen, row.score_rejected])
  expect(new Set(scores).size).toBeGreaterThan(1)
  expect(scores.every(Number.isFinite)).toBe(true)
  const second = await call(files, score(...cache))
  expect(second.said).toMatch(/of them were known/)
})

test('the format can be named, and a wrong one is an error that lists them', async () => {
  expect((await call(files, score('--reward-format', 'hh'))).code).toBe(0)
  const { code, complaint } = await call(files, score('--reward-format', 'nowhere.jinja'))
  expect(code).toBe(2)
  expect(complaint).toMatch(/reward_format: nowhere\.jinja: no such file/)
})

test('training from it is refused', async () => {
  const argv = [
    'reward',
    'train',
    '--train-dataset',
    files.data,
    '--model-name-or-path',
    encoder,
    '--folds',
    '1',
  ]
  const { code, complaint } = await call(files, [...argv, '--output-dir', '$out'])
  expect(code).toBe(2)
  expect(complaint).toMatch(/a DeBERTa encoder, which scores but is not trained here/)
})
