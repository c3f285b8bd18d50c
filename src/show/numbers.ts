/** One way to write each kind of number, shared by HTML, Markdown and the terminal. */
import type { Estimate } from '../statistics/estimate.js'

/** Stands where nothing was measured. */
export const MISSING = '–'

type Maybe = number | null | undefined

const isNumber = (x: Maybe): x is number => typeof x === 'number' && Number.isFinite(x)

/** 12,000 */
export const formatCount = (x: Maybe): string =>
  isNumber(x) ? withMinus(Math.round(x).toLocaleString('en-US')) : MISSING

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

/** 71 %, 0.4 %, <0.1 %: a share that is not nothing, or not all, never looks like it. */
export function formatPercent(share: Maybe): string {
  if (!isNumber(share)) return MISSING
  const percent = share * 100
  if (percent > 0 && percent < 0.05) return '<0.1 %'
  if (percent > 99.95 && percent < 100) return '>99.9 %'
  const digits = (percent > 0 && percent < 0.95) || (percent > 99.05 && percent < 100) ? 1 : 0
  return `${withMinus(percent.toFixed(digits))} %`
}

/** 84 % (81–87) */
export function percentEstimate(e: Estimate | undefined): string {
  if (!isNumber(e?.value)) return MISSING
  const tail = hasInterval(e)
    ? ` (${Math.round(e.interval[0] * 100)}–${Math.round(e.interval[1] * 100)})`
    : ''
  return formatPercent(e.value) + tail
}

/** 0.24 (0.21–0.27) */
export function numberEstimate(e: Estimate | undefined, digits = 2): string {
  if (!isNumber(e?.value)) return MISSING
  return formatNumber(e.value, digits) + rangeText(e, (x) => formatNumber(x, digits))
}

/** +2.05 (+1.93 to +2.17): signed numbers are never joined by a dash. */
export function signedEstimate(e: Estimate | undefined, digits = 2): string {
  if (!isNumber(e?.value)) return MISSING
  const tail = hasInterval(e)
    ? ` (${formatSigned(e.interval[0], digits)} to ${formatSigned(e.interval[1], digits)})`
    : ''
  return formatSigned(e.value, digits) + tail
}

/** +2.05 ±0.12: the short form, half the width of the interval. */
export function shortSigned(e: Estimate | undefined): string {
  if (!isNumber(e?.value)) return MISSING
  return (
    formatSigned(e.value) + (hasInterval(e) ? ` ±${((e.interval[1] - e.interval[0]) / 2).toFixed(2)}` : '')
  )
}

/** 0.4 s, 47 s, 3 min 20 s, 2 h 10 min */
export function formatSeconds(seconds: Maybe): string {
  if (!isNumber(seconds)) return MISSING
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`
  const minutes = Math.round(s / 60)
  return `${formatCount(Math.floor(minutes / 60))} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`
}

/** 23 GB, 196 MB (powers of ten) */
export function formatBytes(bytes: Maybe): string {
  if (!isNumber(bytes)) return MISSING
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB']
  const k = bytes < 1 ? 0 : Math.min(4, Math.floor(Math.log10(bytes) / 3))
  const scaled = bytes / 1000 ** k
  return `${scaled < 9.95 && k > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[k]}`
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
  return formatCount(x)
}

/** Whether both ends of the interval were measured. */
export const hasInterval = (e: Estimate | undefined): e is { value: number; interval: [number, number] } =>
  isNumber(e?.value) && isNumber(e?.interval?.[0]) && isNumber(e?.interval?.[1])

function rangeText(e: Estimate, write: (x: number) => string): string {
  if (!hasInterval(e)) return ''
  const [low, high] = e.interval
  return low < 0 ? ` (${write(low)} to ${write(high)})` : ` (${write(low)}–${write(high)})`
}

const withMinus = (text: string): string => text.replace(/-/g, '−')
