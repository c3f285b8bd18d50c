/** K-quants: 256 numbers with 6-bit or 8-bit scales of their runs, each fitted by weighted least squares. Float32 throughout, as in ggml. */
import { halfTable, toHalf } from './half.js'

const f = Math.fround
const TENTH = f(0.1)
const NOTHING = f(1e-15)

/** The nearest whole number, halves to the even one: a float32 of this size has no room for a fraction. */
const nearest = (value: number): number => f(f(value) + 12_582_912) - 12_582_912

const clamped = (value: number, least: number, most: number): number => Math.max(least, Math.min(most, value))

interface RunFit {
  /** Largest whole number. */
  most: number
  /** Scales are tried from `first` on, `steps` of 0.1, as if the largest whole number were so much more. */
  first: number
  steps: number
}

const FOUR_BITS: RunFit = { most: 15, first: -1, steps: 20 }
const FIVE_BITS: RunFit = { most: 31, first: -0.5, steps: 15 }

const RUN = 32
const weights = new Float32Array(RUN)
const numbers = new Float32Array(RUN)
const tried = new Uint8Array(RUN)
const scales = new Float32Array(16)
const leasts = new Float32Array(8)
const whole = new Uint8Array(256)

/** `numbers` are about scale * l - least: returns the scale, and leaves the whole numbers l of the run and its least value. */
function fitRun({ most, first, steps }: RunFit, run: number): number {
  const to = run * RUN
  let [min, max] = [numbers[0], numbers[0]]
  let sumW = weights[0]
  let sumX = f(sumW * numbers[0])
  for (let i = 1; i < RUN; i++) {
    min = Math.min(min, numbers[i])
    max = Math.max(max, numbers[i])
    sumW = f(sumW + weights[i])
    sumX = f(sumX + f(weights[i] * numbers[i]))
  }
  if (min > 0) min = 0
  if (max === min) {
    whole.fill(0, to, to + RUN)
    leasts[run] = -min
    return 0
  }
  const width = f(max - min)
  let inverse = f(most / width)
  let scale = f(1 / inverse)
  for (let i = 0; i < RUN; i++) whole[to + i] = clamped(nearest(f(inverse * f(numbers[i] - min))), 0, most)
  let least = errorOf(whole, to, scale, min)
  // Later scales are tried on the least value that was the best so far.
  for (let step = 0; step <= steps; step++) {
    inverse = f(f(f(first + f(TENTH * step)) + most) / f(max - min))
    let [sumL, sumL2, sumXL] = [0, 0, 0]
    for (let i = 0; i < RUN; i++) {
      const l = clamped(nearest(f(inverse * f(numbers[i] - min))), 0, most)
      tried[i] = l
      const wl = f(weights[i] * l)
      sumL = f(sumL + wl)
      sumL2 = f(sumL2 + f(wl * l))
      sumXL = f(sumXL + f(wl * numbers[i]))
    }
    const determinant = f(f(sumW * sumL2) - f(sumL * sumL))
    if (!(determinant > 0)) continue
    let thisScale = f(f(f(sumW * sumXL) - f(sumX * sumL)) / determinant)
    let thisMin = f(f(f(sumL2 * sumX) - f(sumL * sumXL)) / determinant)
    if (thisMin > 0) {
      thisMin = 0
      thisScale = f(sumXL / sumL2)
    }
    const error = errorOf(tried, 0, thisScale, thisMin)
    if (!(error < least)) continue
    whole.set(tried, to)
    least = error
    scale = thisScale
    min = thisMin
  }
  leasts[run] = -min
  return scale
}

function errorOf(l: Uint8Array, at: number, scale: number, min: number): number {
  let error = 0
  for (let i = 0; i < RUN; i++) {
    const far = f(f(f(scale * l[at + i]) + min) - numbers[i])
    error = f(error + f(weights[i] * f(far * far)))
  }
  return error
}

function putHalf(out: Uint8Array, to: number, value: number): number {
  const half = toHalf(value)
  out[to] = half & 255
  out[to + 1] = half >> 8
  return halfTable()[half]
}

/** Fits the eight runs; writes scale, least value and the 6-bit numbers of the runs; leaves the whole numbers in `whole`. */
function fitAndPutScales(x: Float32Array, at: number, out: Uint8Array, to: number, fit: RunFit): void {
  let [maxScale, maxLeast] = [0, 0]
  for (let run = 0; run < 8; run++) {
    numbers.set(x.subarray(at + run * RUN, at + (run + 1) * RUN))
    let squares = 0
    for (let i = 0; i < RUN; i++) squares = f(squares + f(numbers[i] * numbers[i]))
    const size = f(Math.sqrt(f(squares / RUN)))
    for (let i = 0; i < RUN; i++) weights[i] = f(size + Math.abs(numbers[i]))
    scales[run] = fitRun(fit, run)
    maxScale = Math.max(maxScale, scales[run])
    maxLeast = Math.max(maxLeast, leasts[run])
  }
  const inverseScale = maxScale > 0 ? f(63 / maxScale) : 0
  const inverseLeast = maxLeast > 0 ? f(63 / maxLeast) : 0
  const scale = putHalf(out, to, f(maxScale / 63))
  const least = putHalf(out, to + 2, f(maxLeast / 63))
  for (let run = 0; run < 8; run++) {
    const s = Math.min(63, nearest(f(inverseScale * scales[run])))
    const m = Math.min(63, nearest(f(inverseLeast * leasts[run])))
    putSixBits(out, to + 4, run, s, m)
    const step = f(scale * s)
    if (step === 0) continue
    const base = f(least * m)
    for (let i = run * RUN; i < (run + 1) * RUN; i++)
      whole[i] = clamped(nearest(f(f(x[at + i] + base) / step)), 0, fit.most)
  }
}

function putSixBits(out: Uint8Array, to: number, run: number, scale: number, least: number): void {
  if (run < 4) {
    out[to + run] = scale
    out[to + run + 4] = least
    return
  }
  out[to + run + 4] = (scale & 15) | ((least & 15) << 4)
  out[to + run - 4] |= (scale >> 4) << 6
  out[to + run] |= (least >> 4) << 6
}

/** The low halves of runs 0 and 1, then of runs 2 and 3, and so on. */
function putNibbles(out: Uint8Array, to: number): void {
  for (let pair = 0; pair < 4; pair++)
    for (let i = 0; i < RUN; i++) {
      const [low, high] = [whole[pair * 64 + i], whole[pair * 64 + RUN + i]]
      out[to + pair * RUN + i] = (low & 15) | ((high & 15) << 4)
    }
}

export function quantizeQ4K(x: Float32Array, at: number, out: Uint8Array, to: number): void {
  fitAndPutScales(x, at, out, to, FOUR_BITS)
  putNibbles(out, to + 16)
}

export function quantizeQ5K(x: Float32Array, at: number, out: Uint8Array, to: number): void {
  fitAndPutScales(x, at, out, to, FIVE_BITS)
  for (let i = 0; i < 256; i++) out[to + 16 + (i & 31)] |= (whole[i] >> 4) << (i >> 5)
  putNibbles(out, to + 48)
}

/** x is about scale * (l - 32) for 16 numbers: returns the scale and leaves the l from `to` on. */
function fitSixteen(x: Float32Array, from: number, to: number): number {
  let extreme = 0
  for (let i = 0; i < 16; i++) if (Math.abs(x[from + i]) > Math.abs(extreme)) extreme = x[from + i]
  if (Math.abs(extreme) < NOTHING) {
    whole.fill(0, to, to + 16)
    return 0
  }
  let best = 0
  let found = 0
  for (const step of SIX_BIT_STEPS) {
    const inverse = f(-f(32 + f(TENTH * step)) / extreme)
    let [sumXL, sumL2] = [0, 0]
    for (let i = 0; i < 16; i++) {
      const value = x[from + i]
      const l = clamped(nearest(f(inverse * value)), -32, 31)
      const weight = f(value * value)
      sumXL = f(sumXL + f(f(weight * value) * l))
      sumL2 = f(sumL2 + f(f(weight * l) * l))
    }
    const isFirst = step === 0
    if (!isFirst && !(sumL2 > 0 && f(sumXL * sumXL) > f(best * sumL2))) continue
    for (let i = 0; i < 16; i++) whole[to + i] = 32 + clamped(nearest(f(inverse * x[from + i])), -32, 31)
    found = sumL2 === 0 ? 0 : f(sumXL / sumL2)
    best = f(found * sumXL)
  }
  return found
}

/** The plain scale first, then those around it. */
const SIX_BIT_STEPS = [0, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9]

export function quantizeQ6K(x: Float32Array, at: number, out: Uint8Array, to: number): void {
  let extreme = 0
  for (let run = 0; run < 16; run++) {
    scales[run] = fitSixteen(x, at + run * 16, run * 16)
    if (Math.abs(scales[run]) > Math.abs(extreme)) extreme = scales[run]
  }
  if (Math.abs(extreme) < NOTHING) return
  const inverse = f(-128 / extreme)
  const scale = putHalf(out, to + 208, f(1 / inverse))
  for (let run = 0; run < 16; run++) {
    const s = Math.min(127, nearest(f(inverse * scales[run])))
    out[to + 192 + run] = s
    const step = f(scale * s)
    if (step === 0) continue
    for (let i = run * 16; i < (run + 1) * 16; i++)
      whole[i] = 32 + clamped(nearest(f(x[at + i] / step)), -32, 31)
  }
  for (let i = 0; i < 256; i++) {
    const [part, quarter] = [i >> 7, (i >> 5) & 3]
    out[to + part * 64 + (quarter & 1) * 32 + (i & 31)] |= (whole[i] & 15) << (quarter < 2 ? 0 : 4)
    out[to + 128 + part * 32 + (i & 31)] |= (whole[i] >> 4) << (2 * quarter)
  }
}
