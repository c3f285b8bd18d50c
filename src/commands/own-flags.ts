/** Values of flags that are no keys of a config. */
import { usageError } from '../errors.js'

/** @throws ClhaError (exit 2) listing the names that there are */
export function oneOf<T extends string>(flag: string, value: unknown, names: readonly T[]): T {
  const found = names.find((name) => name === value)
  if (found !== undefined) return found
  throw usageError(`${flag} ${value}: no such name`, `It is one of ${names.join(', ')}.`)
}

/** @throws ClhaError (exit 2) for what is no number, or is out of its range */
export function numberOf(
  flag: string,
  value: unknown,
  { least, most = Number.POSITIVE_INFINITY, whole = true }: { least: number; most?: number; whole?: boolean },
): number {
  const text = String(value).trim()
  const number = text === '' ? Number.NaN : Number(text)
  const fits = number >= least && number <= most && Number.isFinite(number)
  if (fits && (!whole || Number.isInteger(number))) return number
  const range = most === Number.POSITIVE_INFINITY ? `of at least ${least}` : `from ${least} to ${most}`
  throw usageError(`${flag} ${value}: expected a ${whole ? 'whole ' : ''}number ${range}`)
}

/** A number where the flag was given. */
export const numberIfGiven = (
  flag: string,
  value: unknown,
  range: Parameters<typeof numberOf>[2],
): number | undefined => (value === undefined ? undefined : numberOf(flag, value, range))

/** Text where the flag was given. */
export const textOf = (value: unknown): string | undefined =>
  value === undefined ? undefined : String(value)

/** The texts of a flag that may be repeated. */
export const textsOf = (value: unknown): string[] => [value ?? []].flat().map(String)
