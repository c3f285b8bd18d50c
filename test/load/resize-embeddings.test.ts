import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load-config.js'
import { loadStartModel } from '../../src/load/language-model.js'
import { openSession } from '../../src/session/session.js'
import { call, type Files, writeFiles } from '../commands/eval-folder.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

const ADDED = 80

let files: Files
let grown: string
beforeAll(async () => {
  files = await writeFiles(tempFolder('resize'))
  grown = join(files.dir, 'grown')
  cpSync(files.model, grown, { recursive: true })
  const path = join(grown, 'tokenizer.json')
  const tokenizer = JSON.parse(readFileSync(path, 'utf8'))
  const known = Object.keys(tokenizer.model.vocab).length
  const token = (id: number) => ({ id, content: `<|extra ${id}|>`, special: true })
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false }
  for (let i = 0; i < ADDED; i++) tokenizer.added_tokens.push({ ...token(known + i), ...flags })
  writeFileSync(path, JSON.stringify(tokenizer))
})

const start = async (values: object) => {
  const { config, ui } = await call({ modelNameOrPath: files.model, tokenizerNameOrPath: grown, ...values })
  return loadStartModel(await openSession(config, ui))
}

test('a tokenizer with more ids than the model is an error that names the key; with the key the model grows', async () => {
  await expect(start({})).rejects.toMatchObject({
    exitCode: 2,
    hint: expect.stringContaining('resize_embeddings: true'),
  })
  const { model, tokenizer } = await start({ resizeEmbeddings: true })
  expect(model.config.vocabSize).toBe(tokenizer.vocabSize)
  expect(model.embedding.shape).toEqual([tokenizer.vocabSize, model.config.hiddenSize])
  model.dispose()
})

test('new rows would be lost with an adapter: the two together are an error', async () => {
  const values = { modelNameOrPath: files.model, resizeEmbeddings: true, usePeft: true }
  await expect(loadConfig(undefined, values)).rejects.toThrow(/resize.embeddings.*adapter/s)
})
