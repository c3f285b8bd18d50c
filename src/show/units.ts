/** Numbers with units, for people: one way to write each quantity, in the terminal and in reports. */

/** Stands where nothing was measured. */
export const MISSING = '–'

export type Maybe = number | null | undefined

export const isNumber = (x: Maybe): x is number => typeof x === 'number' && Number.isFinite(x)

export const withMinus = (text: string): string => text.replace(/-/g, '−')

/** `41,203`. */
export const count = (n: Maybe): string =>
  isNumber(n) ? withMinus(Math.round(n).toLocaleString('en-US')) : MISSING

/** `1 list`, `2 lists`. @param one the noun for one; its plural has an s */
export const amount = (n: number, one: string): string => `${count(n)} ${one}${n === 1 ? '' : 's'}`

/** Three significant digits: `0.412`, `12.3`, `1,234`, `1.00e-6`. */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return String(n)
  if (Number.isInteger(n)) return n.toLocaleString('en-US')
  const size = Math.abs(n)
  if (size < 1e-3) return n.toExponential(2)
  if (size >= 1000) return count(n)
  return n.toFixed(size >= 100 ? 1 : size >= 10 ? 2 : 3)
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const

/** Bytes in powers of 1,000: `512 B`, `1.5 kB`, `23.5 MB`, `196 MB`. */
export function bytes(n: Maybe): string {
  if (!isNumber(n)) return MISSING
  const power = n < 1 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), BYTE_UNITS.length - 1)
  const scaled = n / 1000 ** power
  return `${power === 0 || scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)} ${BYTE_UNITS[power]}`
}

/** Seconds: `0.4 s`, `38 s`, `2 min 10 s`, `1 h 49 min`, `2 d 3 h`. */
export function duration(seconds: Maybe): string {
  if (!isNumber(seconds)) return MISSING
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return pair(Math.floor(s / 60), 'min', s % 60, 's')
  const minutes = Math.round(s / 60)
  if (minutes < 1440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min')
  const hours = Math.round(minutes / 60)
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const pair = (big: number, bigUnit: string, small: number, smallUnit: string) =>
  small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`

/**
 * `412 answers/s`, `9.1 k tokens/s`, and `12.5 s/pair` when one takes more than two seconds.
 * @param unit plural, such as `answers`; empty: `412/s`
 */
export function rate(perSecond: number, unit = ''): string {
  const behind = unit === '' ? '/s' : ` ${unit}/s`
  if (!Number.isFinite(perSecond) || perSecond <= 0) return `–${behind}`
  if (perSecond < 0.5) return `${duration(1 / perSecond)}/${unit.replace(/s$/, '') || 'each'}`
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M${behind}`
  if (perSecond >= 1000) return `${(perSecond / 1000).toFixed(1)} k${behind}`
  return `${perSecond >= 100 ? Math.round(perSecond) : perSecond.toFixed(1)}${behind}`
}

/**
 * A share from 0 to 1: `63.1 %`, `0.0 %`, `<0.1 %`, `>99.9 %`. One that is not nothing, or not all, never looks like it.
 * @param digits behind the point; without any, shares close to nothing and to all get one
 */
export function percent(share: Maybe, digits = 1): string {
  if (!isNumber(share)) return MISSING
  const isPart = share > 0 && share < 1
  if (isPart && digits === 0 && (share < 0.0095 || share > 0.9905)) return percent(share, 1)
  const text = (share * 100).toFixed(digits)
  const least = 10 ** -digits
  if (isPart && Number(text) === 0) return `<${least.toFixed(digits)} %`
  if (isPart && Number(text) === 100) return `>${(100 - least).toFixed(digits)} %`
  return `${withMinus(text)} %`
}

/** As reports write it: `71 %`, `0.4 %`, `<0.1 %`. */
export const wholePercent = (share: Maybe): string => percent(share, 0)
