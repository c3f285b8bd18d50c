/** Every recorded model against transformers and PEFT: language models, adapters and reward models. */
import { existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { packLists } from '../../src/data/encode/pack.js'
import { unshared } from '../../src/data/encode/unshared.js'
import { generate } from '../../src/generate/generate.js'
import { withAdapterOff } from '../../src/models/adapters/adapter.js'
import { loadModelFolder } from '../../src/models/adapters/adapter-load.js'
import { mergeAdapter } from '../../src/models/adapters/adapter-merge.js'
import { type Decoder, decode, logits, targetLogProbs } from '../../src/models/decoder/decoder.js'
import { decoderScorer, type RewardScorer } from '../../src/models/decoder/reward-scorer.js'
import { debertaScorer } from '../../src/models/encoder/deberta.js'
import { debertaConfig, isDeberta } from '../../src/models/encoder/deberta-config.js'
import { loadModel, readHfConfig } from '../../src/models/folders/load-model.js'
import { loadRewardScorer } from '../../src/models/folders/load-reward.js'
import { singleSequence } from '../../src/nn/layout.js'
import { type DType, i64, noGrad, ops, scope, type Tensor } from '../../src/tensor/index.js'
import { maxDifference, readTensors } from '../fixtures.js'
import { GREEDY, letters, request } from '../generate/tiny-model.js'
import { answer, encoded } from '../helpers/encoded.js'
import { type Check, entries, json, locate, parity, skip, unequal } from './parity.js'
import { legacyFolder, type Recorded, recordedModel } from './recorded-model.js'
import { float32Tolerances, roundWeights } from './rounding.js'

/** In f64 only the order of the operations is left to differ. */
const EXACT = 1e-10

const logitsOf = (model: Decoder, ids: readonly number[]): number[] =>
  noGrad(() => scope(() => ops.to(logits(model, decode(model, singleSequence(ids))), 'f64').numbers()))

/** Log-probs of ids[start..], each given all before it. */
const responseLogProbs = (model: Decoder, ids: readonly number[], start: number): number[] =>
  noGrad(() =>
    scope(() => {
      const hidden = decode(model, singleSequence(ids))
      const before = ops.narrow(hidden, 0, start - 1, ids.length - start)
      return targetLogProbs(model, before, i64(ids.slice(start)))[0].numbers()
    }),
  )

/** What float32 may differ by, from the model in float64 as it stands with the given adapter. */
const tolerancesOf = (load: () => Decoder, { rows, response_start: starts }: Recorded) =>
  float32Tolerances((seed) => {
    const model = load()
    if (seed !== undefined) roundWeights(model.weights, seed)
    const found = {
      logits: rows.flatMap((ids) => logitsOf(model, ids)),
      logProbs: rows.flatMap((ids, i) => responseLogProbs(model, ids, starts[i])),
    }
    model.dispose()
    return found
  })

type Tolerances = Awaited<ReturnType<typeof tolerancesOf>>

/** The likeliest 12 tokens, each from a forward over all before it. */
function greedyByForward(model: Decoder, ids: readonly number[]): number[] {
  const grown = [...ids]
  for (let n = 0; n < 12; n++) {
    const values = logitsOf(model, grown)
    const last = values.slice(values.length - model.config.vocabSize)
    grown.push(last.indexOf(Math.max(...last)))
  }
  return grown.slice(ids.length)
}

/** Logits of each unpadded row against the rows of a recorded tensor. */
function checkLogits(
  check: Check,
  what: string,
  model: Decoder,
  from: Recorded,
  tensor: string,
  tolerance: number,
) {
  from.rows.forEach((ids, i) => {
    const found = logitsOf(model, ids)
    const wanted = from.expected(tensor)[i].slice(0, found.length)
    check(what, maxDifference(found, wanted), tolerance, `row ${i}`)
  })
}

async function checkLanguageModel(
  check: Check,
  model: Decoder,
  from: Recorded,
  tolerances: Tolerances,
): Promise<void> {
  const { rows, response_start: starts, expected } = from
  checkLogits(check, 'logits', model, from, 'logits_f64', tolerances.logits)
  rows.forEach((ids, i) => {
    const alone = expected(`alone_${i}_logits_f32`).flat()
    check('alone', maxDifference(logitsOf(model, ids), alone), tolerances.logits, `row ${i}`)
    const wanted = expected('response_logps_f64')[i].slice(starts[i], ids.length)
    const found = responseLogProbs(model, ids, starts[i])
    check('log-probs', maxDifference(found, wanted), tolerances.logProbs, `row ${i}`)
    check('greedy', unequal(greedyByForward(model, ids), expected('greedy_12')[i]), 0, `row ${i}`)
  })
  const requests = rows.map((ids) => request(ids))
  const answers = await generate(model, letters, requests, GREEDY)
  answers.forEach((a, i) => {
    check('greedy in a batch', unequal(a?.ids, expected('greedy_12')[i]), 0, `row ${i}`)
  })
}

/** Computed in a low precision throughout: no nearer to transformers' numbers than both are to the exact ones. */
const LOW: Record<string, DType> = { native_bf16_logits: 'bf16', native_fp16_logits: 'f16' }

async function compareLanguageModel(check: Check, from: Recorded): Promise<void> {
  const model = loadModel(from.folder)
  const tolerances = await tolerancesOf(() => loadModel(from.folder, 'f64'), from)
  await checkLanguageModel(check, model, from, tolerances)
  const exact = loadModel(from.folder, 'f64')
  checkLogits(check, 'f64 logits', exact, from, 'logits_f64', EXACT)
  for (const [tensor, dtype] of Object.entries(LOW)) {
    if (!from.has(tensor)) continue
    const low = loadModel(from.folder, dtype)
    checkLogits(check, `${dtype} compute`, low, from, tensor, 2 * (from.max_abs_diff_native_f64 ?? 0))
    low.dispose()
  }
  const folder = legacyFolder(from)
  if (folder) {
    const legacy = loadModel(folder)
    rmSync(folder, { recursive: true })
    check('legacy config', unequal(legacy.config, model.config), 0)
    for (const ids of from.rows)
      check('legacy logits', unequal(logitsOf(legacy, ids), logitsOf(model, ids)), 0)
    legacy.dispose()
  }
  for (const m of [model, exact]) m.dispose()
}

async function compareAdapter(check: Check, name: string, from: Recorded): Promise<void> {
  const folder = join(from.folder, 'adapter')
  const model = loadModelFolder(folder)
  const tolerances = await tolerancesOf(() => loadModelFolder(folder, 'f64'), from)
  await checkLanguageModel(check, model, from, tolerances)
  const { logits } = tolerances
  checkLogits(check, 'unmerged', model, from, 'unmerged_logits_f32', logits)
  withAdapterOff(model, () => checkLogits(check, 'adapter off', model, from, 'base_logits_f32', logits))
  const merged = mergeAdapter(model)
  checkLogits(check, 'merged', merged, from, 'logits_f64', logits)
  scope(() => {
    for (const [key, tensor] of readTensors(`models/${name}/merged_layer0.safetensors`)) {
      const found = merged.weights.get(key.replace('merged.', ''))?.numbers() ?? []
      check('merged weights', maxDifference(found, tensor.numbers()), 1e-6, key)
    }
  })
  for (const m of [merged, model]) m.dispose()
}

/** Each row as a list of its own, the first tokens as its prompt; twice, so that the prompt is shared. */
function rewardsOf(scorer: RewardScorer, rows: readonly number[][]): number[] {
  const lists = rows.map((ids, i) =>
    encoded(`${i}`, ids.slice(0, 3), [answer(ids.slice(3)), answer(ids.slice(3))]),
  )
  const packed = packLists(scorer.sharesPrompts ? lists : lists.map(unshared), {
    maxTokens: 1e4,
    lastToken: true,
  })
  return packed.flatMap((batch) => noGrad(() => scope(() => scorer.rewards(batch).numbers())))
}

/** In float64, with its weights at hand. */
function wideScorer(folder: string): { scorer: RewardScorer; weights: ReadonlyMap<string, Tensor> } {
  const config = readHfConfig(folder)
  if (!isDeberta(config)) {
    const model = loadModelFolder(folder, 'f64')
    return { scorer: decoderScorer(model), weights: model.weights }
  }
  const weights = new Map(
    Array.from(readTensors(`models/${basename(folder)}/model.safetensors`), ([name, t]) => [
      name,
      ops.to(t, 'f64'),
    ]),
  )
  return { scorer: debertaScorer(debertaConfig(config, folder), weights), weights }
}

async function compareRewardModel(check: Check, from: Recorded): Promise<void> {
  const wide = from.expected('score_f64').flat()
  const twice = wide.flatMap((score) => [score, score])
  const folder = legacyFolder(from)
  const { scores: tolerance } = await float32Tolerances((seed) => {
    const { scorer, weights } = wideScorer(from.folder)
    if (seed !== undefined) roundWeights(weights, seed)
    const scores = rewardsOf(scorer, from.rows)
    scorer.dispose()
    return { scores }
  })
  for (const [what, place] of [
    ['score', from.folder],
    ['legacy config', folder],
  ] as const) {
    if (place === undefined) continue
    const scorer = loadRewardScorer(place)
    check(what, maxDifference(rewardsOf(scorer, from.rows), twice), tolerance)
    if (what === 'score') {
      const alone = from.rows.map((ids) => rewardsOf(scorer, [ids])[0])
      check('alone', maxDifference(alone, from.expected('alone_score_f32').flat()), tolerance)
    }
    scorer.dispose()
  }
  const exact = loadRewardScorer(from.folder, 'f64')
  check('f64 score', maxDifference(rewardsOf(exact, from.rows), twice), EXACT)
  exact.dispose()
  if (folder) rmSync(folder, { recursive: true })
}

const listed = locate('models/index.json') ? Object.keys(json<object>('models/index.json')) : []
const folders = entries('models').filter((name) => locate(`models/${name}/expected.safetensors`))
const names = [...new Set([...listed, ...folders])].sort()
if (names.length === 0) skip('models', 'not in this tree')

for (const name of names) {
  parity(`models/${name}`, async (check) => {
    const from = recordedModel(name)
    check(
      'lengths',
      unequal(
        from.rows.map((ids) => ids.length),
        from.lengths,
      ),
      0,
    )
    if (from.has('score_f64')) await compareRewardModel(check, from)
    else if (existsSync(join(from.folder, 'adapter'))) await compareAdapter(check, name, from)
    else await compareLanguageModel(check, from)
  })
}
