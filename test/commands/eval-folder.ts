/** A folder with tiny random models, their BPE tokenizer and pairs, and a session that runs on it. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import type { SaveFile } from '../../src/checkpoint/format/save-file.js'
import { loadConfig, type ResolvedConfig } from '../../src/config/load-config.js'
import type { ConfigKey } from '../../src/config/schema.js'
import type { Camel } from '../../src/key-names.js'
import { scratchConfig } from '../../src/load/language-model.js'
import { initModel, rewardModelFrom } from '../../src/models/decoder/init.js'
import { modelFiles } from '../../src/models/folders/save-model.js'
import { createUi, type Ui } from '../../src/terminal/ui.js'
import { saveTokenizer, trainByteLevelBpe } from '../../src/text/bpe-train.js'
import { loadTokenizer } from '../../src/text/tokenizer.js'

export const SUBJECTS = ['sky', 'grass', 'snow', 'coal', 'blood', 'sun', 'sea', 'night']
const COLOURS = ['blue', 'green', 'white', 'black', 'red', 'yellow', 'blue', 'black']

export const pairs = SUBJECTS.map((subject, i) => ({
  source: i % 2 === 0 ? 'even' : 'odd',
  prompt: [{ role: 'user', content: `Which colour has the ${subject}?` }],
  chosen: [{ role: 'assistant', content: `It is ${COLOURS[i]}.` }],
  rejected: [{ role: 'assistant', content: 'I will not say.' }],
}))

const SIZES = {
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 2,
  tie_word_embeddings: true,
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 128,
}

export interface Files {
  dir: string
  /** Language models. */
  model: string
  other: string
  /** Reward models. */
  reward: string
  second: string
  data: string
}

/** Models that differ in their seed only. */
export async function writeFiles(dir: string): Promise<Files> {
  const path = (name: string) => join(dir, name)
  const texts = pairs.flatMap((p) => [p.prompt[0].content, p.chosen[0].content, p.rejected[0].content])
  const bpe = trainByteLevelBpe(texts, { vocabSize: 320, specialTokens: ['<|endoftext|>'] })
  await saveTokenizer(path('model'), bpe)
  const tokenizer = await loadTokenizer(path('model'))
  for (const [name, seed] of [
    ['model', 1],
    ['other', 2],
  ] as const) {
    const lm = initModel({ ...scratchConfig(SIZES, tokenizer), initializer_range: 0.5 }, seed)
    const judge = rewardModelFrom(lm, seed)
    const judgeName = name === 'model' ? 'reward' : 'second'
    writeModel(path(name), modelFiles(lm))
    writeModel(path(judgeName), modelFiles(judge))
    await tokenizer.saveTo(path(name))
    await tokenizer.saveTo(path(judgeName))
    lm.dispose()
    judge.dispose()
  }
  fs.writeFileSync(path('pairs.jsonl'), pairs.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return {
    dir,
    model: path('model'),
    other: path('other'),
    reward: path('reward'),
    second: path('second'),
    data: path('pairs.jsonl'),
  }
}

function writeModel(folder: string, files: readonly SaveFile[]): void {
  fs.mkdirSync(folder, { recursive: true })
  for (const { path, chunks } of files) fs.writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
}

/** The keys that stand among values for certain. */
type KeysOf<Values> = {
  [Key in ConfigKey]: [Values] extends [Record<Camel<Key>, NonNullable<unknown>>] ? Key : never
}[ConfigKey]

/** What a pipeline is called with; `screen()` is what a person saw. */
export async function call<Values extends Record<string, unknown>>(
  values: Values,
): Promise<{ config: ResolvedConfig<KeysOf<Values>>; ui: Ui; screen(): string }> {
  let text = ''
  const stream = new Writable({
    write(chunk, _, done) {
      text += String(chunk)
      done()
    },
  })
  const config = await loadConfig(undefined, { threads: 1, maxNewTokens: 12, ...values })
  return {
    config: config as ResolvedConfig<KeysOf<Values>>,
    ui: createUi({ stream, isTty: false }),
    screen: () => text,
  }
}

/** Lines that a person types. */
export async function* typed(...lines: string[]): AsyncGenerator<string> {
  yield* lines
}
