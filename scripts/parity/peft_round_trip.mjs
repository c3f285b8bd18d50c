// The clha side of peft_round_trip.py: writes an adapter with its logits, or reads one and writes the logits.
//   node peft_round_trip.mjs make <base> <adapter folder> <settings.json>
//   node peft_round_trip.mjs read <base> <adapter folder> <settings.json>
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const dist = process.env.CLHA_DIST ?? fileURLToPath(new URL('../../dist', import.meta.url))
const load = (path) => import(pathToFileURL(join(dist, path)).href)

const { attachAdapter, adapterTensors } = await load('models/adapters/adapter.js')
const { loadModelFolder } = await load('models/adapters/adapter-load.js')
const { adapterFiles } = await load('models/adapters/adapter-save.js')
const { decode, logits, rewards } = await load('models/decoder/decoder.js')
const { singleSequence } = await load('nn/layout.js')
const { Generator, noGrad, ops, scope } = await load('tensor/index.js')

const [mode, base, folder, settingsPath] = process.argv.slice(2)
const { ids, lora } = JSON.parse(readFileSync(settingsPath, 'utf8'))

/** B is zero at the start: every tensor gets numbers that show. */
function make() {
  const model = loadModelFolder(base)
  attachAdapter(model, { ...lora, base: resolve(base) }, 7)
  const generator = new Generator(11)
  noGrad(() =>
    scope(() => {
      for (const [name, t] of adapterTensors(model.adapter)) {
        if (name.includes('.lora_')) ops.normalInPlace(t, 0, 0.2, generator)
        else ops.addInPlace(t, ops.mulScalar(ops.randn(t.shape, generator), 0.05))
      }
    }),
  )
  mkdirSync(folder, { recursive: true })
  for (const { path, chunks } of adapterFiles(model))
    writeFileSync(join(folder, path), Buffer.concat([...chunks()]))
  return model
}

const model = mode === 'make' ? make() : loadModelFolder(base, 'f32', folder)
const numbers = noGrad(() =>
  scope(() => {
    const hidden = decode(model, singleSequence(ids))
    return (model.head === 'reward' ? rewards(model, hidden) : logits(model, hidden)).numbers()
  }),
)
model.dispose()
process.stdout.write(JSON.stringify({ outputs: numbers }))
