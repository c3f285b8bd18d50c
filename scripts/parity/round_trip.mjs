// The clha side of round_trip.py: loads every model of a folder, saves it, and says what it computes.
//   node round_trip.mjs <folder of model folders> <folder to save into> <inputs.json>
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.CLHA_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (path) => import(pathToFileURL(join(dist, path)).href)

const { loadModelFolder } = await load('models/adapters/adapter-load.js')
const { mergeAdapter } = await load('models/adapters/adapter-merge.js')
const { decode, logits } = await load('models/decoder/decoder.js')
const { modelFiles } = await load('models/folders/save-model.js')
const { candidateRewards } = await load('models/decoder/score.js')
const { packLists } = await load('data/encode/pack.js')
const { singleSequence } = await load('nn/layout.js')
const { noGrad, scope } = await load('tensor/index.js')

const [models, work, inputs] = process.argv.slice(2)
/** Name -> rows of ids. */
const rows = JSON.parse(readFileSync(inputs, 'utf8'))

/** Small shards: the way back reads an index as well. */
const SHARD_BYTES = 60_000

function save(model, folder) {
  mkdirSync(folder, { recursive: true })
  for (const { path, chunks } of modelFiles(model, SHARD_BYTES))
    writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
}

/** The row as one answer without a prompt. */
const asList = (ids) => ({
  id: '',
  source: '',
  promptIds: new Int32Array(0),
  promptCut: 0,
  answers: [{ ids: Int32Array.from(ids), scoredFrom: 0, truncated: false, ended: true }],
})

/** Logits of each position, or the one reward. */
const outputs = (model, ids) =>
  noGrad(() =>
    scope(() => {
      if (model.head !== 'reward') return logits(model, decode(model, singleSequence(ids))).numbers()
      const [batch] = packLists([asList(ids)], { maxTokens: 1e4, lastToken: true })
      return candidateRewards(model, batch).numbers()
    }),
  )

const results = {}
for (const name of readdirSync(models).sort()) {
  if (!rows[name]) continue
  const adapter = join(models, name, 'adapter')
  try {
    const read = loadModelFolder(existsSync(adapter) ? adapter : join(models, name))
    const model = read.adapter ? mergeAdapter(read) : read
    save(model, join(work, name))
    results[name] = {
      head: model.head,
      outputs: rows[name].map((ids) => outputs(model, ids)),
    }
  } catch (error) {
    results[name] = { error: error.message }
  }
}
process.stdout.write(JSON.stringify(results))
