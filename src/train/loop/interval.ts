/** What a training counts: sums since the last log row, and tokens and skipped steps since its first step. */
import type { Decoder } from '../../models/decoder/decoder.js'
import { currentDevice, memory, native } from '../../tensor/index.js'
import { matrixPeak } from '../profile/profile-peak.js'
import { noWork, type StepWork, tallySavings, workMeter } from '../profile/profile-work.js'
import type { Progress } from './best.js'
import type { StepBatch } from './items.js'
import { Tally, type TallyState } from './step-metrics.js'

export interface Interval {
  /** Of the steps since the last log row. */
  tally(): Tally
  /** Counts a step; `losses` is undefined for one left out. @returns its work */
  add(batch: StepBatch, losses: Record<string, number> | undefined): StepWork
  /** Means since the last row, totals, and the pace. */
  row(learningRate: number): Record<string, number>
  /** Begins the next interval: the row is written. */
  restart(): void
  /** For a checkpoint. */
  state(): Required<Pick<Progress, 'tokens' | 'skipped' | 'tally'>>
}

/** @param start where a resumed training stood */
export function createInterval(model: Decoder, start: Progress): Interval {
  const workOf = workMeter(model)
  const peak = modelPeak(model)
  let { tokens, skipped = 0 } = start
  let sums = newSums(start.tally)
  return {
    tally: () => sums.tally,
    add(batch, losses) {
      const work = losses ? workOf(batch) : noWork()
      const stepTokens = batch.micro.reduce((sum, b) => sum + b.tokens.length, 0)
      tokens += stepTokens
      sums.tokens += stepTokens
      sums.flops += work.flops
      tallySavings(sums.tally, work)
      for (const [name, value] of Object.entries(losses ?? {})) sums.tally.add(name, value)
      if (!losses) skipped += 1
      return work
    },
    row: (learningRate) => ({
      ...sums.tally.means(),
      learning_rate: learningRate,
      num_tokens: tokens,
      ...(skipped > 0 && { skipped_steps: skipped }),
      ...pace(sums, peak),
    }),
    restart: () => {
      sums = newSums()
    },
    state: () => ({ tokens, skipped, tally: sums.tally.state() }),
  }
}

/** FLOP/s of a product of matrices in the number type that the model computes in. */
export const modelPeak = ({ dtype, bf16 }: Decoder): number => matrixPeak(dtype, bf16 ? 'bf16' : undefined)

interface Sums {
  tally: Tally
  tokens: number
  /** Of the model, as its sizes ask for them. */
  flops: number
  /** Of `performance.now()`. */
  started: number
}

const newSums = (state?: TallyState): Sums => ({
  tally: new Tally(state),
  tokens: 0,
  flops: 0,
  started: performance.now(),
})

function pace({ tokens, flops, started }: Sums, peak: number): Record<string, number> {
  const seconds = (performance.now() - started) / 1000
  const { tensors, leaked } = memory()
  const gpu = currentDevice().startsWith('cuda') && native().deviceMemory(currentDevice())
  return {
    tokens_per_second: tokens / seconds,
    mfu: flops / seconds / peak,
    tensors,
    leaked_tensors: leaked,
    memory_mib: process.memoryUsage.rss() / 2 ** 20,
    peak_memory_mib: process.resourceUsage().maxRSS / 1024,
    ...(gpu && { gpu_memory_mib: gpu.bytes / 2 ** 20, peak_gpu_memory_mib: gpu.peakBytes / 2 ** 20 }),
  }
}
