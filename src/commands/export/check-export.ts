/** An export proves itself: the file is read back as any other would be, and says what the model says. */
import { mkdtempSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EncodedExample } from '../../data/encode/encoded.js'
import { packLists } from '../../data/encode/pack.js'
import type { Message } from '../../dialogue.js'
import { ClhaError, numericsError } from '../../errors.js'
import { EXIT } from '../../exit-codes.js'
import { DiskStorage, removeTree } from '../../files/storage.js'
import { loadModelFolder } from '../../models/adapters/adapter-load.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { type Agreement, agreement } from '../../models/decoder/divergence.js'
import { tokenizerFolderOf } from '../../models/folders/model-folder.js'
import type { FileType } from '../../models/gguf/file-types.js'
import { importGguf } from '../../models/gguf/import-gguf.js'
import { figure } from '../../show/units.js'
import { chatTemplate, isRefusal } from '../../text/template.js'
import { loadTokenizer, type TextTokenizer } from '../../text/tokenizer.js'

/**
 * Mean difference of a token's log-probability that the type itself may make, nats. A tensor that is in another order or under
 * another name makes several.
 */
const TOLERANCES: Readonly<Record<FileType, number>> = {
  f32: 1e-3,
  f16: 0.02,
  bf16: 0.25,
  q8_0: 0.25,
  q4_k_m: 2,
}

/**
 * Reads the file into a folder beside it, which then goes.
 * @param name of the file in messages
 * @throws ClhaError (exit 5) where it can't be read, or tokens or log-probabilities are others than the model's
 */
export async function checkExport(
  folder: string,
  file: string,
  type: FileType,
  name = file,
): Promise<Agreement> {
  const back = mkdtempSync(join(dirname(file), '.check-'))
  try {
    await readBack(file, back, name)
    const [ours, read] = await Promise.all([tokenizerFolderOf(folder), back].map(loadTokenizer))
    await requireSameTokens(ours, read, name)
    const found = await compared(folder, back, ours)
    if (!(found.difference <= TOLERANCES[type]))
      throw numericsError(
        `${name}: its log-probabilities differ from those of ${folder} by ${figure(found.difference)} on average`,
        'nothing was written; --type f32 tells whether the narrow type is the cause, --no-check writes the file all the same',
      )
    return found
  } finally {
    removeTree(new DiskStorage(), back)
  }
}

/** @throws ClhaError (exit 5) for a file that would be refused as bad input */
async function readBack(file: string, to: string, name: string): Promise<void> {
  try {
    await importGguf(file, to)
  } catch (error) {
    if (!(error instanceof ClhaError) || error.exitCode !== EXIT.usage) throw error
    throw numericsError(
      `can't be read back: ${error.message.replaceAll(file, name)}`,
      'nothing was written; please report the model, --no-check writes the file all the same',
    )
  }
}

const ANSWERED: readonly [question: string, answer: string][] = [
  ['What is the capital of France?', 'The capital of France is Paris, a city on the river Seine.'],
  ['Name three fruits.', 'Apples, oranges and bananas.'],
  ['What is 12 * 12?', '12 * 12 = 144.'],
  ['How do I make tea?', 'Boil water, pour it over the leaves, and wait for three minutes.'],
  ['Say it in German: good morning', 'Guten Morgen!'],
]

async function compared(folder: string, back: string, tokenizer: TextTokenizer): Promise<Agreement> {
  const opened: Decoder[] = []
  const open = (from: string): Decoder => {
    const model = loadModelFolder(from, 'f32', { mapped: true })
    opened.push(model)
    return model
  }
  try {
    const [ours, read] = [open(folder), open(back)]
    const texts = await encodedTexts(tokenizer, ours.config.maxPositions)
    return agreement(ours, read, packLists(texts, { maxTokens: 1024, lastToken: false }))
  } finally {
    for (const model of opened) model.dispose()
  }
}

/** Dialogues as the model's template writes them; without a template, or where it refuses them, as plain turns. */
async function encodedTexts(tokenizer: TextTokenizer, maxPositions: number): Promise<EncodedExample[]> {
  const dialogues = ANSWERED.map(([question, answer]): Message[] => [
    { role: 'user', content: question },
    { role: 'assistant', content: answer },
  ])
  let texts: string[]
  try {
    const template = await chatTemplate(tokenizer)
    texts = dialogues.map((dialogue) => template.render(dialogue))
  } catch (error) {
    if (!isRefusal(error)) throw error
    const plain = await chatTemplate(tokenizer, 'plain')
    texts = dialogues.map((dialogue) => plain.render(dialogue))
  }
  const encoded = await tokenizer.encodeBatch(texts)
  return encoded.map(({ ids }, i) => {
    // Every token but the first is scored.
    const kept = Int32Array.from(ids.slice(0, maxPositions))
    const answer = { ids: kept.subarray(1), scoredFrom: 0, truncated: false, ended: false }
    return { id: String(i), source: '', promptIds: kept.subarray(0, 1), answers: [answer], promptCut: 0 }
  })
}

/** Words, numbers, white space, signs, scripts. */
const TEXTS = [
  'Hello, world!  How are you today?',
  "I'VE got 12345 apples; they're 3.14 each.\n\n\tIndented\r\nline",
  'def f(x):\n    return x ** 2  # square',
  'naïve café – “quoted” … 你好,世界 Привет мир こんにちは',
  '🙂👍🏽 emoji and   spaces   ',
  ' leading space',
]
const MOST_SPECIALS = 50

async function requireSameTokens(ours: TextTokenizer, read: TextTokenizer, file: string): Promise<void> {
  const specials = [...ours.specialTokens.keys()].slice(0, MOST_SPECIALS).join(' a ')
  for (const text of [...TEXTS, specials]) {
    const [one, other] = await Promise.all([ours.encode(text), read.encode(text)])
    if (one.ids.join() === other.ids.join()) continue
    throw numericsError(
      `${file}: its tokenizer cuts ${JSON.stringify(text.slice(0, 60))} into other tokens than ${ours.dir} does`,
      'nothing was written; please report the tokenizer',
    )
  }
}
