// Opens exported files in llama.cpp itself (node-llama-cpp) and compares tokens, rendered chat, greedy answers and log-probabilities:
//   node scripts/parity/gguf_runtime.mjs REFERENCES NODE_MODULES TEXTS
// REFERENCES: what i_gguf.py made and gguf_files.mjs exported; NODE_MODULES: holds node-llama-cpp; TEXTS: JSON with a list `strings`.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { loadModelFolder } from '../../dist/models/adapters/adapter-load.js'
import { decode, logits } from '../../dist/models/decoder/decoder.js'
import { exportGguf } from '../../dist/models/gguf/export-gguf.js'
import { importGguf } from '../../dist/models/gguf/import-gguf.js'
import { singleSequence } from '../../dist/nn/layout.js'
import { noGrad, ops, scope } from '../../dist/tensor/index.js'
import { loadTokenizer } from '../../dist/text/tokenizer.js'

const [references, modules, textsFile] = process.argv.slice(2)
const entry = createRequire(join(resolve(modules), 'x.js')).resolve('node-llama-cpp')
const { getLlama } = await import(pathToFileURL(entry).href)
const llama = await getLlama({
  gpu: false,
  build: 'never',
  logLevel: 'error',
  maxThreads: 1,
  progressLogs: false,
})
const texts = JSON.parse(readFileSync(textsFile, 'utf8')).strings
const PROMPT =
  'The first settlers came to the valley in spring. They built a mill by the river, and in autumn the harvest was better than anybody had hoped.'
const GREEDY = 64

/** Log-probabilities of the next token after each prefix, [T][V]. */
function ownLogProbs(model, ids) {
  return noGrad(() =>
    scope(() => {
      const all = ops.logSoftmax(logits(model, decode(model, singleSequence(ids))), 1)
      const flat = new Float32Array(all.bytes().slice().buffer)
      const width = flat.length / ids.length
      return ids.map((_, i) => flat.subarray(i * width, (i + 1) * width))
    }),
  )
}

function ownGreedy(model, start, count) {
  const ids = [...start]
  for (let i = 0; i < count; i++) {
    const last = ownLogProbs(model, ids).at(-1)
    ids.push(last.reduce((best, value, id) => (value > last[best] ? id : best), 0))
  }
  return ids.slice(start.length)
}

async function theirs(file, ids, count, adapter) {
  const model = await llama.loadModel({ modelPath: file, gpuLayers: 0, useMmap: true })
  const lora = adapter && { adapters: [{ filePath: adapter }] }
  const context = await model.createContext({ contextSize: 192, threads: 1, flashAttention: false, lora })
  const sequence = context.getSequence()
  const input = ids.map((id) => [id, { generateNext: { probabilities: true } }])
  const evaluated = await sequence.controlledEvaluate(input)
  const probabilities = evaluated.map((step) => step?.next?.probabilities)
  await sequence.clearHistory()
  const greedy = []
  for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
    greedy.push(token)
    if (greedy.length === count) break
  }
  const close = async () => {
    await context.dispose()
    await model.dispose()
  }
  return { model, probabilities, greedy, close }
}

/** Mean and largest difference of the log-probabilities of the tokens of the text. */
function apart(own, probabilities, ids) {
  const far = ids.slice(1).map((id, i) => Math.abs(Math.log(probabilities[i].get(id)) - own[i][id]))
  return `${(far.reduce((a, b) => a + b) / far.length).toFixed(4)} (at most ${Math.max(...far).toFixed(4)})`
}

/** Log-probabilities of the file itself, read back here. */
async function readBack(file, ids) {
  const back = mkdtempSync(join(tmpdir(), 'clha-gguf-'))
  try {
    await importGguf(file, back)
    const model = loadModelFolder(back, 'f32')
    const own = ownLogProbs(model, ids)
    model.dispose()
    return own
  } finally {
    rmSync(back, { recursive: true })
  }
}

const wanted = process.env.ONLY?.split(',') ?? readdirSync(references).sort()
for (const name of wanted) {
  const folder = join(references, name)
  const tokenizer = await loadTokenizer(join(folder, 'model'))
  const ours = loadModelFolder(join(folder, 'model'), 'f32')
  const { ids } = await tokenizer.encode(PROMPT)
  const row = []
  for (const type of ['f32', 'q8_0']) {
    const file = join(folder, 'ours', `model-${type}.gguf`)
    const run = await theirs(file, ids, GREEDY)
    if (type === 'f32') {
      const wrong = []
      for (const text of texts) {
        const mine = (await tokenizer.encode(text)).ids
        const found = run.model.tokenize(text, true)
        if (mine.join() !== found.join()) wrong.push({ text, mine, found })
      }
      row.push(`tokens ${texts.length - wrong.length}/${texts.length}`)
      if (process.env.SHOW) for (const w of wrong.slice(0, 5)) console.log(JSON.stringify(w).slice(0, 300))
      const mine = ownGreedy(ours, ids, GREEDY)
      const same = mine.findIndex((id, i) => id !== run.greedy[i])
      row.push(`greedy ${same < 0 ? GREEDY : same}/${GREEDY}`)
      row.push(
        `template ${run.model.fileInfo.metadata.tokenizer?.chat_template === tokenizer.chatTemplate ? 'same' : 'differs'}`,
      )
    }
    row.push(`${type} log-prob ${apart(await readBack(file, ids), run.probabilities, ids)}`)
    await run.close()
  }
  const plain = ownLogProbs(ours, ids)
  ours.dispose()
  const adapter = join(folder, 'adapter')
  if (existsSync(adapter)) {
    const { file } = await exportGguf(adapter, { type: 'f32', output: join(folder, 'ours') })
    const run = await theirs(join(folder, 'ours', 'model-f32.gguf'), ids, 1, file)
    const adapted = loadModelFolder(adapter, 'f32')
    const own = ownLogProbs(adapted, ids)
    const change =
      ids.slice(1).reduce((sum, id, i) => sum + Math.abs(own[i][id] - plain[i][id]), 0) / (ids.length - 1)
    row.push(
      `adapter log-prob ${apart(own, run.probabilities, ids)}, which it changes by ${change.toFixed(2)}`,
    )
    adapted.dispose()
    await run.close()
  }
  console.log(`${name}  ${row.join('  ')}`)
}
await llama.dispose()
