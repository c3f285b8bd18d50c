/** The plan of a training: arithmetic from a model's shape, the sizes of its lists and its settings. Nothing is loaded. */
import type { Rates } from './devices.js'
import { addWork, forwardWork, NO_WORK, trainWork, type Work } from './flops.js'
import { largestOf, type MemoryPlan, memoryPlan } from './memory.js'
import type { ModelShape } from './shape.js'
import { type Packing, type PlannedStep, plannedSteps, type Size, sumOf } from './tokens.js'

export interface PlanInput {
  shape: ModelShape
  /** By list. */
  sizes: readonly Size[]
  packing: Packing
  recompute: boolean | 'auto'
  moments: number
  cacheBytes: number
  /** Memory of the process before the model, and what may be taken in all. Bytes. */
  program: number
  available: number
  /** Lists whose log-probabilities are computed once, without gradients, before the first step. */
  reference?: readonly Size[]
  /** Lists that every epoch scores without gradients besides: KTO's mismatched answers. */
  mismatched?: readonly Size[]
  /** The loss asks for the scores of a whole step first, so steps of several micro-batches run forward twice. */
  previews?: boolean
}

export interface LargestBatch extends Size {
  /** Of the step that it is in, and its place there. */
  step: number
  place: number
}

export interface TrainingPlan {
  recompute: boolean
  memory: MemoryPlan
  /** What it would be without recomputation, and with. */
  peakPlain: number
  peakRecomputed: number
  available: number
  fits: boolean
  largest: LargestBatch
  steps: number
  microBatches: number
  /** Of all steps. */
  tokens: number
  work: Work
}

export function planTraining(input: PlanInput): TrainingPlan {
  const { shape, sizes, packing, available } = input
  const steps = plannedSteps(sizes, packing)
  const scale = packing.totalSteps / Math.max(1, steps.length)
  const both = [false, true].map((recompute) => memoryWith(input, steps, recompute))
  const recompute = input.recompute === 'auto' ? both[0].memory.peak > available : input.recompute
  const { memory, largest } = both[recompute ? 1 : 0]
  const all = steps.flatMap(({ micro }) => micro)
  return {
    recompute,
    memory,
    peakPlain: both[0].memory.peak,
    peakRecomputed: both[1].memory.peak,
    available,
    fits: memory.peak <= available,
    largest,
    steps: packing.totalSteps,
    microBatches: Math.round(all.length * scale),
    tokens: Math.round(sumOf(all).tokens * scale),
    work: workOf(input, steps, recompute, scale, shape),
  }
}

/** The highest point: of the largest first micro-batch of a step, or of the largest later one, which finds gradients there. */
function memoryWith(
  { shape, moments, cacheBytes, program }: PlanInput,
  steps: PlannedStep[],
  recompute: boolean,
) {
  const flat = steps.flatMap(({ step, micro }) => micro.map((size, place) => ({ ...size, step, place })))
  const candidates = [false, true].flatMap((accumulates) => {
    const some = flat.filter(({ place }) => place > 0 === accumulates)
    if (some.length === 0) return []
    const largest = some[largestOf(shape, some, recompute)]
    const memory = memoryPlan(shape, largest, { recompute, moments, accumulates, cacheBytes, program })
    return [{ memory, largest }]
  })
  return candidates.reduce((a, b) => (b.memory.peak > a.memory.peak ? b : a))
}

function workOf(
  { mismatched = [], reference = [], previews, sizes }: PlanInput,
  steps: PlannedStep[],
  recompute: boolean,
  scale: number,
  shape: ModelShape,
): Work {
  let work = NO_WORK
  for (const { micro } of steps) {
    const twice = previews === true && micro.length > 1
    for (const size of micro) {
      work = addWork(work, trainWork(shape, size, recompute))
      if (twice) work = addWork(work, forwardWork(shape, size))
    }
    work.updates += shape.trained
  }
  const lists = sumOf(sizes).tokens
  const epochs = sumOf(steps.flatMap(({ micro }) => micro)).tokens / Math.max(1, lists)
  const others = forwardWork(shape, sumOf(mismatched))
  work = addWork(work, { blocks: others.blocks * epochs, head: others.head * epochs, updates: 0 })
  const scaled = { blocks: work.blocks * scale, head: work.head * scale, updates: work.updates * scale }
  return addWork(scaled, forwardWork(shape, sumOf(reference)))
}

export const flops = ({ blocks, head }: Work): number => blocks + head

export const seconds = ({ blocks, head, updates }: Work, { block, head: headRate, update }: Rates): number =>
  blocks * block + head * headRate + updates * update
