/** Accelerators by name: dense peak rates, memory and bandwidth as their makers give them. */
import type { ModelShape } from './shape.js'

export interface Device {
  name: string
  /** Dense matrix FLOP/s: bfloat16 with f32 sums (float16 where there is no bfloat16), and float32. */
  half: number
  single: number
  /** Bytes. */
  memory: number
  /** Bytes a second. */
  bandwidth: number
}

const device = (name: string, half: number, single: number, memory: number, bandwidth: number): Device => ({
  name,
  half: half * 1e12,
  single: single * 1e12,
  memory: memory * 1e9,
  bandwidth: bandwidth * 1e9,
})

/** By the name that `--device` takes: tera-FLOP/s of bfloat16 and float32, gigabytes, gigabytes a second. */
export const DEVICES: Readonly<Record<string, Device>> = {
  h200: device('NVIDIA H200 SXM', 989, 67, 141, 4800),
  h100: device('NVIDIA H100 SXM', 989, 67, 80, 3350),
  a100: device('NVIDIA A100 80 GB', 312, 19.5, 80, 2039),
  'a100-40': device('NVIDIA A100 40 GB', 312, 19.5, 40, 1555),
  l40s: device('NVIDIA L40S', 362, 91.6, 48, 864),
  a10: device('NVIDIA A10', 125, 31.2, 24, 600),
  l4: device('NVIDIA L4', 121, 30.3, 24, 300),
  '4090': device('NVIDIA GeForce RTX 4090', 165, 82.6, 24, 1008),
  '3090': device('NVIDIA GeForce RTX 3090', 71, 35.6, 24, 936),
  t4: device('NVIDIA T4', 65, 8.1, 16, 320),
  mi300x: device('AMD Instinct MI300X', 1307, 163, 192, 5300),
}

/** Share of the peak that a training is assumed to reach in matrix products, and of the bandwidth in updates. */
export const EFFICIENCY = 0.4
const UPDATE_EFFICIENCY = 0.7

/** Bytes that an AdamW update moves for each number: weight, moments and gradient read, the first three written. */
const UPDATE_TENSORS = 7

/** Memory that the CUDA context and the kernels of libtorch take on a device. */
export const DEVICE_PROGRAM = 1.2e9

/** Seconds for a FLOP of the blocks and of the head, and for an updated number. */
export interface Rates {
  block: number
  head: number
  update: number
}

export function deviceRates(at: Device, { width, bf16 }: ModelShape): Rates {
  const flop = (narrow: boolean) => 1 / ((narrow ? at.half : at.single) * EFFICIENCY)
  const [block, head] = [flop(width === 2 || bf16), flop(width === 2)]
  return { block, head, update: (UPDATE_TENSORS * width) / (at.bandwidth * UPDATE_EFFICIENCY) }
}
