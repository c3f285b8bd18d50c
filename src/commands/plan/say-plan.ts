/** A plan as people read it. */

import type { Options } from '../../config/options.js'
import { EFFICIENCY } from '../../plan/devices.js'
import { tableOf } from '../../show/table.js'
import { amount, bytes, count, duration, percent } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'
import type { PlanResult } from './plan-result.js'

const PARTS = [
  ['weights', 'all that the model and its adapter hold'],
  ['gradients', 'of what is trained'],
  ['optimizer', 'its moments'],
  ['activations', 'of the largest micro-batch'],
  ['logits', 'of its scored tokens, in chunks where they are many'],
  ['cache', 'keys and values of answers generated during training, in place of activations'],
  ['allocator', 'freed blocks that wait for their next use'],
  ['program', 'Node, libtorch, data'],
] as const

export function sayPlan(
  ui: Ui,
  plan: PlanResult & Pick<Options, 'dtype' | 'bf16' | 'gradientCheckpointing'>,
): void {
  const { data, memory, largest, disk } = plan
  const share = plan.trained === plan.parameters ? 'all are trained' : `${count(plan.trained)} are trained`
  ui.station('Plan', `${plan.machine}`)
  ui.line(
    `model    ${count(plan.parameters)} parameters, ${share} · ${plan.dtype}${plan.bf16 ? ', products in bfloat16' : ''}`,
  )
  ui.line(
    `data     ${amount(data.lists, 'list')} · ${count(data.tokens)} tokens an epoch, ${count(data.scored)} of them scored · ` +
      `${percent(1 - data.tokens / data.padded)} less than padded rows (${count(data.padded)}), ` +
      `${percent(1 - data.tokens / data.unshared)} less than rows of their own`,
  )
  ui.line(
    `steps    ${count(plan.steps)}, ${count(data.stepsPerEpoch)} an epoch · ${count(plan.microBatches)} micro-batches, ` +
      `the largest of ${count(largest.tokens)} tokens, ${count(largest.scored)} scored`,
  )
  ui.line(`time     ${duration(plan.seconds)}, ${duration(plan.secondsPerStep)} a step · ${rateText(plan)}`)
  ui.line(
    `disk     ${bytes(disk.bytes)} for ${amount(disk.checkpoints, 'checkpoint')} of ${bytes(disk.checkpoint)} and the room to write one`,
  )
  const rows = PARTS.filter(([part]) => memory[part] > 0).map(([part, what]) => {
    return { part, memory: bytes(memory[part]), what }
  })
  ui.table(
    tableOf(
      [
        ...rows,
        {
          part: 'at most',
          memory: bytes(memory.peak),
          what: `at the same time; ${bytes(plan.available)} can be had`,
        },
      ],
      [
        { key: 'part', title: 'memory' },
        { key: 'memory', title: '', align: 'right' },
        { key: 'what', title: '' },
      ],
    ),
  )
  const blocks = `blocks are ${plan.recompute ? 'recomputed' : 'kept'} (gradient_checkpointing: ${plan.gradientCheckpointing})`
  const other = plan.recompute
    ? `kept: ${bytes(plan.peakPlain)}`
    : `recomputed: ${bytes(plan.peakRecomputed)}`
  ui.line(`${blocks}; ${other}`)
  if (plan.fits) {
    ui.line('it fits')
    return
  }
  const advice = plan.changes.map(({ setting, peak, price }) => `${setting}   then ${bytes(peak)}; ${price}`)
  ui.warn(
    `it does not fit: ${bytes(memory.peak)} are needed, ${bytes(plan.available)} can be had`,
    advice.length > 0 ? advice.join('\n') : 'take a smaller model, or a shorter max_length',
  )
}

function rateText({ rate, flops, machine }: PlanResult): string {
  const work = `${scaled(flops)}FLOP`
  if (machine !== 'this machine') return `${work} at ${percent(EFFICIENCY, 0)} of the peak, an assumption`
  return `${work}; the blocks were measured at ${scaled(rate)}FLOP/s`
}

const scaled = (n: number): string => {
  const power = Math.min(6, Math.floor(Math.log10(Math.max(1, n)) / 3))
  return `${(n / 1000 ** power).toPrecision(3)} ${['', 'k', 'M', 'G', 'T', 'P', 'E'][power]}`
}
