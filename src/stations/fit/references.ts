/** Reference log-probabilities for the items of a training: one pass over the data before the first step. */

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { EncodedExample } from '../../data/encode/encoded.js'
import { type LanguageModel, loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { type Decoder, inBf16 } from '../../models/decoder/decoder.js'
import { openScoreCache } from '../../reward/score-cache.js'
import { logProbIdentity } from '../../reward/scorer-identity.js'
import type { Needs } from '../../session/needs.js'
import { Stopped } from '../../session/stopped.js'
import { count } from '../../show/units.js'
import type { Tensor } from '../../tensor/index.js'
import type { TrainItem } from '../../train/loop/items.js'
import { referenceLogProbs } from '../../train/loop/reference.js'

/** SHA-256 of the weights and sizes of a model as it computes: low-rank maps that change something are part of it. */
export function weightsHash(model: Decoder): string {
  const hash = createHash('sha256').update(JSON.stringify(model.config))
  const add = (name: string, tensor: Tensor) => hash.update(`${name}\0`).update(bytesOf(tensor))
  for (const [name, tensor] of [...model.weights, ...model.scales]) add(name, tensor)
  for (const [name, { a, b, scale }] of model.adapter?.maps ?? []) {
    // A fresh map adds nothing: its model is the base, whatever A was drawn.
    if (bytesOf(b).every((byte) => byte === 0)) continue
    add(`${name}.lora_A:${scale}`, a)
    add(`${name}.lora_B`, b)
  }
  return hash.digest('hex')
}

function bytesOf(tensor: Tensor): Uint8Array {
  const data = tensor.data()
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** What tells which model is the reference, and where its log-probabilities are kept. */
export type ReferenceNeeds = Needs<
  | 'refModel'
  | 'chatTemplate'
  | 'loadIn8bit'
  | 'loadIn4bit'
  | 'bf16'
  | 'scoreCacheDir'
  | 'outputDir'
  | 'maxTokensPerBatch',
  'ui' | 'dtype' | 'stopRequested'
>

/**
 * The items with the log-probabilities of their answers (and mismatched answers) under `ref_model`, or under the start model:
 * either as it stands, an adapter included. All are computed before the first step, so the start needs no second copy. Known ones come from `score_cache_dir`, else from the run's own folder.
 */
export async function withReferences(
  session: ReferenceNeeds,
  start: LanguageModel,
  groups: readonly (readonly TrainItem[])[],
): Promise<TrainItem[][]> {
  const { options, dtype } = session
  const { refModel } = options
  const model = refModel
    ? (await loadLanguageModel(refModel, dtype, options.chatTemplate, quantizedOf(options, 'blocks'))).model
    : start.model
  try {
    const items = groups.flat()
    const extra = items.flatMap(({ mismatched }) => (mismatched ? [mismatched.encoded] : []))
    const all = [...items.map((item) => item.encoded), ...extra]
    // As the policy is computed: their difference is what counts.
    const found = await inBf16(model, options.bf16, () => computed(session, model, all))
    let at = items.length
    const done = items.map((item, i): TrainItem => {
      const { mismatched } = item
      const own = { ...item, reference: found[i] }
      return mismatched ? { ...own, mismatched: { ...mismatched, reference: found[at++] } } : own
    })
    let from = 0
    return groups.map((group) => {
      from += group.length
      return done.slice(from - group.length, from)
    })
  } finally {
    if (refModel) model.dispose()
  }
}

async function computed(session: ReferenceNeeds, model: Decoder, encoded: readonly EncodedExample[]) {
  const { options, ui } = session
  const dir = options.scoreCacheDir ?? join(options.outputDir, 'reference')
  const cache = openScoreCache(dir, logProbIdentity(weightsHash(model), model.bf16 === true))
  const bar = ui.progress(encoded.length, 'reference', 'lists')
  try {
    const found = await referenceLogProbs(model, encoded, {
      maxTokens: options.maxTokensPerBatch,
      cache,
      progress: (done) => bar.update(done),
      stopRequested: session.stopRequested,
    })
    if (!found) throw new Stopped()
    bar.update(encoded.length)
    bar.done(`${count(encoded.reduce((sum, e) => sum + e.answers.length, 0))} answers`)
    return found
  } finally {
    cache.close()
  }
}
