/** A model of two layers and lists of random ids, and trainings of them in a folder: what tests of training start from. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import type { EncodedExample } from '../../src/data/encode/encoded.js'
import type { Decoder } from '../../src/models/decoder/decoder.js'
import { initModel } from '../../src/models/decoder/init.js'
import type { HeadKind } from '../../src/models/folders/weights.js'
import { createRandom, type Random } from '../../src/random.js'
import { takeLock } from '../../src/runs/lock.js'
import { type DType, native } from '../../src/tensor/index.js'
import type { TrainItem } from '../../src/train/loop/items.js'
import { runTraining } from '../../src/train/loop/run.js'
import type { TrainingRun } from '../../src/train/loop/training-run.js'
import {
  clhaObjective,
  type Objective,
  rewardObjective,
  sftObjective,
} from '../../src/train/objectives/objective.js'
import { randomList } from '../helpers/encoded.js'
import { copyOfBytes } from '../helpers/numbers.js'

// Steps this small are over before a second thread wakes up; on a busy machine they would wait for it.
native().setThreads(1)

export const VOCABULARY = 64

export const tinyModel = (head: HeadKind = 'lm', seed = 1, dtype: DType = 'f32'): Decoder =>
  initModel(
    {
      architectures: [head === 'lm' ? 'LlamaForCausalLM' : 'LlamaForSequenceClassification'],
      model_type: 'llama',
      hidden_size: 32,
      intermediate_size: 64,
      num_hidden_layers: 2,
      num_attention_heads: 2,
      num_key_value_heads: 2,
      vocab_size: VOCABULARY,
      max_position_embeddings: 64,
      rope_theta: 10000,
      rms_norm_eps: 1e-5,
      hidden_act: 'silu',
      initializer_range: 0.1,
      tie_word_embeddings: true,
      ...(head === 'reward' && { num_labels: 1 }),
    },
    seed,
    head,
    dtype,
  )

/** Every earlier answer is better than every later one; weights and gates are drawn too. */
export function itemOf(encoded: EncodedExample, random: Random): TrainItem {
  const n = encoded.answers.length
  const pairs = Array.from({ length: n }, (_, i) => i).flatMap((better) =>
    Array.from({ length: n - 1 - better }, (_, d) => ({
      better,
      worse: better + d + 1,
      distance: d + 1,
      weight: random.int(4) === 0 ? 0 : 0.25 + random.next(),
    })),
  )
  const labels = pairs.slice(0, 1).map(({ better, worse }) => ({ better, worse }))
  return { encoded, pairs, sft: { index: 0, weight: 0.5 + random.next() }, labels }
}

export function randomItems(count: number, seed = 'items', candidates = 3): TrainItem[] {
  const random = createRandom(seed)
  return Array.from({ length: count }, (_, i) =>
    itemOf(randomList(random, `list ${i}`, candidates, VOCABULARY), random),
  )
}

export const CLHA = clhaObjective({
  margin: 1,
  marginScale: 'constant',
  sftWeight: 1,
  sftReduction: 'tokens',
})
export const OBJECTIVES: Record<string, Objective> = {
  clha: CLHA,
  sft: sftObjective(),
  reward: rewardObjective(0.01),
}

export const headOf = (objective: Objective): HeadKind => (objective.lastToken ? 'reward' : 'lm')

/** Eleven lists in batches of three, three epochs: nothing divides. */
export function training(
  dir: string,
  objective: Objective = CLHA,
  changes: Partial<TrainingRun['loop']> = {},
): TrainingRun {
  const totalSteps = changes.totalSteps ?? 12
  return {
    dir,
    trainable: { model: tinyModel(headOf(objective)), objective, margin: () => 1 },
    items: randomItems(11),
    devItems: [],
    loop: {
      seed: 5,
      batchSize: 3,
      totalSteps,
      learningRate: 1e-2,
      schedule: { name: 'cosine', warmupSteps: 2, totalSteps },
      maxGradNorm: 1,
      loggingSteps: 1,
      metricForBestModel: 'eval_loss',
      greaterIsBetter: false,
      maxTokens: 80,
      lastToken: objective.lastToken,
      ...changes,
    },
    optimizer: {
      name: 'adamw',
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      decayOn: 'matrices',
    },
    manifest: { lock: takeLock, kind: 'test', config: {}, data: [], versions: {}, hardware: {} },
    conditions: { libtorch: 'x', cpuLevel: 'x', threads: 1, build: 'x', clha: 'x' },
    trajectory: { learning_rate: 1e-2 },
    tokenizerDir: dir,
    saveTotalLimit: 2,
    loadBest: false,
    tensorboard: false,
    resume: false,
    allowInexact: false,
    hooks: { progress() {}, warn() {}, stopRequested: () => false },
  }
}

/** Runs a training, asked to stop once `stopAfter` steps are done. */
export async function run(t: TrainingRun, stopAfter = Number.POSITIVE_INFINITY) {
  let done = 0
  const losses: number[] = []
  const warnings: string[] = []
  const result = await runTraining({
    ...t,
    hooks: {
      ...t.hooks,
      progress(step, _, fields) {
        done = step
        losses.push(fields.loss)
      },
      warn: (text) => warnings.push(text),
      stopRequested: () => done >= stopAfter,
    },
  })
  return { ...result, losses, warnings, weights: bytesOf(t.trainable.model) }
}

/** All weights, one after another. */
export const bytesOf = (model: Decoder): Buffer => Buffer.concat([...model.weights.values()].map(copyOfBytes))

export const fileOf = (dir: string, ...names: string[]): Buffer => fs.readFileSync(join(dir, ...names))

/** Every file below a folder with its bytes. */
export function filesBelow(dir: string): Record<string, string> {
  const names = fs.readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names
      .filter((name) => fs.statSync(join(dir, name)).isFile())
      .map((name) => [name, fs.readFileSync(join(dir, name)).toString('base64')]),
  )
}
