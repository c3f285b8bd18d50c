import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { convertLlama2c } from '../../scripts/convert-llama2c.mjs'
import { encodePrompts } from '../../src/data/encode/encode.js'
import { generate } from '../../src/generate/generate.js'
import { loadLanguageModel, stopIdsOf } from '../../src/load/language-model.js'
import { temporaryFolder } from '../helpers/folders.js'
import { GREEDY } from './tiny-model.js'

const shared = (name: string) =>
  fileURLToPath(new URL(`../../../shared/data/model-stories260K/${name}`, import.meta.url))
const absent = !existsSync(shared('stories260K.bin'))
const why = absent ? ' (skipped: ../shared/data/model-stories260K is absent)' : ''

/** The story that llama2.c prints at temperature 0, as its documentation shows it. */
function documented(): string {
  const blocks = readFileSync(shared('stories260K.md'), 'utf8').split('```')
  const block = blocks.find((text) => text.includes('-t 0.0\n')) as string
  return block.slice(block.indexOf('-t 0.0\n') + 7).trimEnd()
}

test.skipIf(absent)(
  `a converted llama2.c model tells, greedily from BOS, the documented story${why}`,
  async () => {
    const folder = temporaryFolder()
    convertLlama2c(shared('stories260K.bin'), shared('tok512.bin'), folder)
    const lm = await loadLanguageModel(folder, 'f32')
    const { ids } = await encodePrompts([''], lm.tokenizer, lm.template, { maxPromptLength: 100 })
    expect(Array.from(ids[0])).toEqual([1])
    const requests = [{ promptIds: ids[0], name: 'story' }]
    // llama2.c makes 256 tokens when it is not told otherwise.
    const options = { ...GREEDY, maxNewTokens: 256, stopIds: stopIdsOf(lm) }
    const [answer] = await generate(lm.model, lm.tokenizer, requests, options)
    expect(answer?.text).toBe(documented())
    lm.model.dispose()
  },
)

test.skipIf(absent)(
  `the converted tokenizer splits its own story into the tokens it was made of${why}`,
  async () => {
    const folder = temporaryFolder()
    convertLlama2c(shared('stories260K.bin'), shared('tok512.bin'), folder)
    const lm = await loadLanguageModel(folder, 'f32')
    const text = 'Once upon a time, there was a little girl named Lily. She said: "Ünique?"\n'
    const { ids } = await lm.tokenizer.encode(text)
    expect(await lm.tokenizer.decode(ids)).toBe(text)
    const words = ids.map((id) => lm.tokenizer.tokenText(id))
    expect(words.slice(0, 5)).toEqual(['▁Once', '▁upon', '▁a', '▁time', ','])
    expect(words.slice(-1)).toEqual(['<0x0A>'])
    lm.model.dispose()
  },
)
