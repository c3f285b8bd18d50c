/** Measured numbers and their intervals: plain, signed and large ones, shared by HTML, Markdown and the terminal. */
import type { Proportion } from '../statistics/agreement.js'
import type { Estimate } from '../statistics/estimate.js'
import { count, isNumber, type Maybe, MISSING, wholePercent, withMinus } from './units.js'

/** 0.41, with a true minus sign and never "−0.00". */
export function formatNumber(x: Maybe, digits = 2): string {
  if (!isNumber(x)) return MISSING
  if (x !== 0 && (Math.abs(x) < 0.5 * 10 ** -digits || Math.abs(x) >= 1e7)) {
    return withMinus(x.toExponential(1).replace('e+', 'e'))
  }
  return withMinus(
    x.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits }),
  )
}

/** +2.05, −1.32, 0.00 */
export function formatSigned(x: Maybe, digits = 2): string {
  if (!isNumber(x)) return MISSING
  const rounded = Number(x.toFixed(digits))
  return `${rounded > 0 ? '+' : ''}${withMinus((rounded === 0 ? 0 : rounded).toFixed(digits))}`
}

/** 84 % (81–87) */
export function percentEstimate(e: Estimate | undefined): string {
  if (!isNumber(e?.value)) return MISSING
  // As many digits as the share itself gets.
  const digits = wholePercent(e.value).includes('.') ? 1 : 0
  const end = (share: number) => (share * 100).toFixed(digits)
  const tail = hasInterval(e) ? ` (${end(e.interval[0])}–${end(e.interval[1])})` : ''
  return wholePercent(e.value) + tail
}

/** As `percentEstimate`, of something counted; a share of nothing is no number. */
export const percentCounted = (p: Proportion | undefined): string =>
  percentEstimate(p && { value: p.share, interval: p.interval })

/** ` (55 to 69 %)`, or nothing. */
export const percentInterval = (interval: readonly [number, number] | undefined): string =>
  interval ? ` (${Math.round(interval[0] * 100)} to ${Math.round(interval[1] * 100)} %)` : ''

/** 0.24 (0.21–0.27) */
export function numberEstimate(e: Estimate | undefined, digits = 2): string {
  if (!isNumber(e?.value)) return MISSING
  return formatNumber(e.value, digits) + rangeText(e, (x) => formatNumber(x, digits))
}

/** +2.05 (+1.93 to +2.17): signed numbers are never joined by a dash. */
export const signedEstimate = (e: Estimate | undefined, digits = 2): string =>
  signedText(e, (x) => formatSigned(x, digits))

/** +1.3 points (−0.4 to +3.0): the difference of two shares. */
export const pointsEstimate = (e: Estimate | undefined): string =>
  signedText(e, (share) => formatSigned(share * 100, 1), ' points')

function signedText(e: Estimate | undefined, write: (x: number) => string, unit = ''): string {
  if (!isNumber(e?.value)) return MISSING
  const tail = hasInterval(e) ? ` (${write(e.interval[0])} to ${write(e.interval[1])})` : ''
  return write(e.value) + unit + tail
}

/** +2.05 ±0.12: the short form, half the width of the interval. */
export function shortSigned(e: Estimate | undefined): string {
  if (!isNumber(e?.value)) return MISSING
  return (
    formatSigned(e.value) + (hasInterval(e) ? ` ±${((e.interval[1] - e.interval[0]) / 2).toFixed(2)}` : '')
  )
}

/** 1.9 M, 135 M, 7.2 B */
export function formatLarge(x: Maybe): string {
  if (!isNumber(x)) return MISSING
  for (const [size, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (x >= size) return `${(x / size).toFixed(x / size < 99.5 ? 1 : 0).replace(/\.0$/, '')} ${unit}`
  }
  return count(x)
}

/** Whether both ends of the interval were measured. */
export const hasInterval = (e: Estimate | undefined): e is { value: number; interval: [number, number] } =>
  isNumber(e?.value) && isNumber(e?.interval?.[0]) && isNumber(e?.interval?.[1])

function rangeText(e: Estimate, write: (x: number) => string): string {
  if (!hasInterval(e)) return ''
  const [low, high] = e.interval
  return low < 0 ? ` (${write(low)} to ${write(high)})` : ` (${write(low)}–${write(high)})`
}
