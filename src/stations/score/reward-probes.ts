/** Probes as reward models: the start model reads every answer once, then one regression a fold. */
import { resolve } from 'node:path'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { type EncodedCorpus, rowsWhere, where } from '../../data/corpus.js'
import { packLists, valuesByList } from '../../data/encode/pack.js'
import { type Example, isLabelled } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import type { LanguageModel } from '../../load/language-model.js'
import { baseOf, startTrajectory } from '../../load/trainable.js'
import { onBaseAlone } from '../../models/adapters/adapter.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { probedLayers, probeFrom, probeStates, probeWidth } from '../../models/probe/probe.js'
import { loadProbe } from '../../models/probe/probe-folder.js'
import { fitProbe, GROUPS } from '../../reward/probe-fit.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount, figure } from '../../show/units.js'
import { fromData, noGrad, scope } from '../../tensor/index.js'
import { hashItems } from '../../train/loop/items.js'
import {
  agreement,
  type FoldModel,
  heldOutOf,
  type RewardModelOptions,
  type RewardNeeds,
  rewardItems,
} from './fold-model.js'
import { fittedBefore, saveProbe } from './probe-run.js'

/** Hidden states of each answer of each example, [2 D] each. */
type States = Float32Array[][]

/** One probe per fold. @throws ClhaError (exit 2) for a start model that is an adapter, or was never trained */
export async function fitProbes(
  session: RewardNeeds,
  start: LanguageModel,
  data: EncodedCorpus,
  options: RewardModelOptions,
): Promise<FoldModel[]> {
  const { folds, seed } = options
  const base = requireBase(session, start.model, options)
  const labelled = where(data, isLabelled)
  const fittedTo = await fitOf(session, labelled, { ...options, base })
  const shared = session.options.usePeft || !options.stage
  const known = Array.from({ length: folds }, (_, k) => fittedBefore(session, options.dir(k), fittedTo))
  if (known.every((each) => each !== undefined))
    return known.map(({ held_out: accuracy }, fold) => {
      session.ui.line(`${options.label(fold)}: was done`)
      const path = options.dir(fold)
      return {
        fold,
        model: onBaseAlone(start.model, () => loadProbe(path, start.model, shared)),
        path,
        accuracy,
      }
    })
  const layers = probedLayers(start.model.config)
  const make = (weights?: Float32Array) =>
    onBaseAlone(start.model, () => probeFrom(start.model, { layers, weights, shared }))
  const states = await statesOf(session, make(), labelled)
  const out: FoldModel[] = []
  for (let fold = 0; fold < folds; fold++) {
    const within = heldOutOf(fold, folds, session.options.seed)
    const { pairs, weights, priorScale } = fitTo(labelled, states, (example) => !within(example), seed)
    const model = make(weights)
    const accuracy = accuracyOn(labelled, states, weights, within)
    const facts = { pairs, prior_scale: priorScale, held_out: accuracy }
    const config = { base_model_name_or_path: base, fitted_to: fittedTo, ...facts }
    await saveProbe(session, model, { ...options, fold, tokenizerDir: start.tokenizer.dir, config })
    session.ui.line(
      `${options.label(fold)}: a probe of ${layers} of ${start.model.config.layers} layers, fitted to ${amount(pairs, 'pair')} · prior ±${figure(priorScale)}`,
    )
    out.push({ fold, model, path: options.dir(fold), accuracy })
    throwIfStopped(session)
  }
  return out
}

/** The folder of the model that is read, which a probe names. */
function requireBase({ options }: RewardNeeds, { adapter }: Decoder, { base }: RewardModelOptions): string {
  if (base !== undefined) return resolve(base)
  if (options.modelNameOrPath === undefined)
    throw usageError(
      'reward_probe: random weights know nothing that a probe could read',
      'name a trained model as model_name_or_path, or remove reward_probe',
    )
  if (adapter && !options.usePeft)
    throw usageError(
      `reward_probe: ${options.modelNameOrPath} is an adapter, which a probe would not read`,
      'merge it first: clha merge',
    )
  return baseOf(options)
}

/** SHA-256 of everything that makes the numbers of a fit. */
async function fitOf(
  { options }: RewardNeeds,
  data: EncodedCorpus,
  { folds, seed, base }: RewardModelOptions,
): Promise<string> {
  const start = await startTrajectory(options)
  return sha256(JSON.stringify([hashItems(rewardItems(data)), folds, seed, options.seed, base, start]))
}

/** @param probe any of the layers that are read; disposed of here */
async function statesOf(session: RewardNeeds, probe: Decoder, { encoded }: EncodedCorpus): Promise<States> {
  const { options, ui, stopRequested } = session
  const out = encoded.map((): Float32Array[] => [])
  const answers = encoded.reduce((sum, e) => sum + e.answers.length, 0)
  const bar = ui.progress(answers, 'reading', 'answers')
  const width = probeWidth(probe.config)
  let done = 0
  try {
    for (const batch of packLists(encoded, { maxTokens: options.maxTokensPerBatch, lastToken: true })) {
      if (stopRequested()) break
      const flat = noGrad(() => scope(() => Float32Array.from(probeStates(probe, batch).numbers())))
      const each = Array.from(batch.lastRows, (_, c) => flat.subarray(c * width, (c + 1) * width))
      for (const [list, states] of valuesByList(batch, each)) out[list] = states
      done += each.length
      bar.update(done)
      await yieldToLoop()
    }
  } finally {
    probe.dispose()
  }
  throwIfStopped(session)
  bar.done()
  return out
}

/** Every human preference is a pair. */
function fitTo(
  { examples }: EncodedCorpus,
  states: States,
  wanted: (example: Example) => boolean,
  seed: number,
) {
  const pairs = examples.flatMap((example, row) =>
    wanted(example) ? example.preferences.map((labels) => ({ ...labels, row })) : [],
  )
  if (pairs.length === 0) throw usageError('reward_probe: no pair is left to fit it to')
  const width = states[pairs[0].row][0].length
  const differences = new Float64Array(pairs.length * width)
  for (const [i, { row, better, worse }] of pairs.entries())
    for (let k = 0; k < width; k++)
      differences[i * width + k] = states[row][better][k] - states[row][worse][k]
  const groups = pairs.map(({ row }) => foldOf(examples[row].prompt, seed, GROUPS))
  return scope(() => ({
    pairs: pairs.length,
    ...fitProbe({ differences: fromData(differences, [pairs.length, width]), groups }),
  }))
}

function accuracyOn(
  data: EncodedCorpus,
  states: States,
  weights: Float32Array,
  within: (example: Example) => boolean,
) {
  const rows = rowsWhere(data, within)
  const reward = (state: Float32Array) => state.reduce((sum, value, k) => sum + value * weights[k], 0)
  return agreement(
    rows.map((row) => data.examples[row].preferences),
    rows.map((row) => states[row].map(reward)),
  )
}
