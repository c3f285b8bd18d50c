/** Rows that a template refuses, in a run: named, bounded by max_dropped, skippable and listed; and the date of a run. */
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { corpusOf } from '../../src/data/corpus.js'
import { recordedDate } from '../../src/session/recorded-date.js'
import { encodeCorpus } from '../../src/stations/read/encode-corpus.js'
import { chatTemplate } from '../../src/text/template.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'
import { runManifest } from '../helpers/run-manifest.js'
import { writeTinyTokenizer } from '../text/tiny-tokenizer.js'

const REFUSING =
  "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

const examples = Array.from({ length: 8 }, (_, i) => ({
  id: `r${i + 1}`,
  prompt: [
    ...(i === 7 ? [{ role: 'system' as const, content: 'Be brief.' }] : []),
    { role: 'user' as const, content: `Question ${i}` },
  ],
  candidates: [{ text: 'Apple.' }, { text: 'Car.' }],
  preferences: [{ better: 0, worse: 1 }],
  source: 'rows',
  file: 'rows.jsonl',
  row: i + 1,
}))

async function encode(given: { skipBad: boolean; maxDropped: number }, rows = examples) {
  const outputDir = mkdtempSync(join(tmpdir(), 'refused-'))
  const warnings: string[] = []
  const ui = { warn: (text: string) => warnings.push(text), line: () => {} }
  const options = { maxLength: 128, truncation: 'left', outputDir, ...given }
  const tokenizer = await loadTokenizer(writeTinyTokenizer())
  const reader = {
    tokenizer,
    template: await chatTemplate(tokenizer, REFUSING),
    model: { config: { maxPositions: 128 } },
  }
  const session = { options, ui, config: {} } as unknown as Parameters<typeof encodeCorpus>[0]
  const corpus = await encodeCorpus(session, reader, corpusOf(rows), 2)
  const listed = readFileSync(join(outputDir, 'skipped.jsonl'), 'utf8').trim().split('\n')
  return {
    rows: corpus.examples.map(({ row }) => row),
    warnings,
    listed: listed.map((line) => JSON.parse(line)),
  }
}

test('more than max_dropped is an error that names file and row', async () => {
  await expect(encode({ skipBad: false, maxDropped: 0.05 })).rejects.toThrow(
    /^rows\.jsonl:8: the chat template \(custom\) refuses a dialogue of system, user: System role not supported/,
  )
})

test.each([
  ['skip_bad', { skipBad: true, maxDropped: 0.05 }],
  ['a higher max_dropped', { skipBad: false, maxDropped: 0.5 }],
])('with %s the row is left out, said and listed', async (_, given) => {
  const { rows, warnings, listed } = await encode(given)
  expect(rows).toEqual([1, 2, 3, 4, 5, 6, 7])
  expect(warnings).toEqual(["1 of 8 examples are left out: the chat template can't write them"])
  expect(listed).toMatchObject([{ file: 'rows.jsonl', row: 8, kind: 'content', code: 'template_refuses' }])
})

test('a template that refuses every row ends the run whatever may be skipped', async () => {
  await expect(encode({ skipBad: true, maxDropped: 1 }, examples.slice(7))).rejects.toThrow(/rows\.jsonl:8/)
})

test('the date of a run is that of the earliest of its stages', () => {
  const dir = mkdtempSync(join(tmpdir(), 'dated-'))
  expect(recordedDate(dir)).toBeUndefined()
  expect(recordedDate(join(dir, 'missing'))).toBeUndefined()
  for (const [name, date] of [
    ['train', '2024-07-27T10:00:00.000Z'],
    ['reward', '2024-07-26T10:00:00.000Z'],
    ['old', undefined],
  ] as const) {
    mkdirSync(join(dir, name))
    writeFileSync(join(dir, name, 'run.json'), JSON.stringify(runManifest({ template_date: date })))
  }
  expect(recordedDate(dir)?.toISOString()).toBe('2024-07-26T10:00:00.000Z')
})
