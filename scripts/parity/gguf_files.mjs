// Exports the models that i_gguf.py made, and holds every tensor and every key against llama.cpp's own files:
//   node scripts/parity/gguf_files.mjs REFERENCES
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { exportGguf } from '../../dist/models/gguf/export-gguf.js'
import { openGguf } from '../../dist/models/gguf/format/gguf-file.js'

const [references] = process.argv.slice(2)
const TYPES = ['f32', 'f16', 'bf16', 'q8_0', 'q4_k_m']

/** Keys that name and describe the model, taken from its folder or card; and what ours says more. */
const DESCRIBING =
  /^general\.(name|basename|size_label|finetune|version|organization|license|tags|languages|datasets)/

function differences(ours, theirs) {
  const found = []
  for (const [name, { type, shape }] of theirs.tensors) {
    const own = ours.tensors.get(name)
    if (!own) found.push(`no tensor ${name}`)
    else if (own.type !== type || own.shape.join() !== shape.join())
      found.push(`${name}: ${own.type} [${own.shape}], theirs ${type} [${shape}]`)
    else if (Buffer.compare(ours.read(own), theirs.read(theirs.tensors.get(name))) !== 0)
      found.push(`${name}: bytes`)
  }
  for (const name of ours.tensors.keys()) if (!theirs.tensors.has(name)) found.push(`${name} is not theirs`)
  for (const [key, value] of theirs.metadata) {
    if (DESCRIBING.test(key)) continue
    const own = ours.metadata.get(key)
    if (JSON.stringify(own) !== JSON.stringify(value))
      found.push(`${key}: ${shown(own)}, theirs ${shown(value)}`)
  }
  return found
}

const shown = (value) => (value === undefined ? 'absent' : JSON.stringify(value).slice(0, 90))

let failed = 0
for (const name of readdirSync(references).sort()) {
  const row = []
  let more = []
  for (const type of TYPES) {
    const output = join(references, name, 'ours')
    mkdirSync(output, { recursive: true })
    const { file } = await exportGguf(join(references, name, 'model'), { type, output })
    const [ours, theirs] = [openGguf(file), openGguf(join(references, name, `${type}.gguf`))]
    // Without a tokenizer.model the converter has no scores, and writes -1000 for each token.
    const found = differences(ours, theirs).filter(
      (text) => name !== 'llama-linear' || !/^tokenizer.ggml.(tokens|scores|token_type)/.test(text),
    )
    more = [...ours.metadata.keys()].filter((key) => !theirs.metadata.has(key))
    row.push(found.length === 0 ? `${type} equal (${theirs.tensors.size})` : `${type} ${found.length} differ`)
    for (const text of found.slice(0, 6)) console.log(`  ${name} ${type}  ${text}`)
    failed += found.length
    ours.close()
    theirs.close()
  }
  console.log(`${name}  ${row.join('  ')}${more.length ? `  · only ours: ${more.join(', ')}` : ''}`)
}
process.exitCode = failed ? 1 : 0
