/** Reads the metadata of a GGUF file key by key and remembers which keys were asked for: what nobody asked for is refused. */
import { usageError } from '../../../errors.js'
import type { GgufValue, Scalar } from './gguf-head.js'

const LARGEST = 2 ** 31 - 1

/** Keys with the type that is expected of each. */
export interface GgufMetadata {
  /** For messages. */
  where: string
  text(key: string, fallback?: string): string
  optionalText(key: string): string | undefined
  /** A finite number; one of the file's float32 is the shortest decimal that stands for it. */
  number(key: string, fallback?: number): number
  /** A positive whole number. */
  size(key: string, fallback?: number): number
  /** A whole number from 0 on. */
  optionalId(key: string): number | undefined
  flag(key: string, fallback: boolean): boolean
  texts(key: string): string[] | undefined
  numbers(key: string): number[] | undefined
  flags(key: string): boolean[] | undefined
  has(key: string): boolean
  /** Keys that change nothing here. */
  ignore(...keys: string[]): void
  /** @throws ClhaError (exit 2) for a key that begins so, that is set and that nobody asked for */
  refuseUnread(prefix: string): void
  wrong(key: string, expected: string): Error
}

export function ggufMetadata(values: ReadonlyMap<string, GgufValue>, where: string): GgufMetadata {
  const asked = new Set<string>()
  const get = (key: string): GgufValue | undefined => {
    asked.add(key)
    return values.get(key)
  }
  const wrong = (key: string, expected: string) =>
    usageError(`${where}: "${key}" must be ${expected}; found ${shown(values.get(key))}`)
  const list = <T extends Scalar>(key: string, type: keyof typeof LISTS): T[] | undefined => {
    const found = get(key)
    if (found === undefined) return undefined
    const fits = found.type === 'array' && found.value.every((item) => typeof item === type)
    if (!fits) throw wrong(key, `a list of ${LISTS[type]}`)
    return found.value as T[]
  }
  const number = (key: string, fallback?: number): number => {
    const found = get(key)
    const value = found === undefined ? fallback : found.value
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong(key, 'a number')
    return found?.type === 'float32' ? shortest(value) : value
  }
  const optionalText = (key: string): string | undefined => {
    const value = get(key)?.value
    if (value !== undefined && typeof value !== 'string') throw wrong(key, 'a text')
    return value
  }
  return {
    where,
    number,
    optionalText,
    text: (key, fallback) => {
      const value = optionalText(key) ?? fallback
      if (value !== undefined) return value
      throw wrong(key, 'a text')
    },
    size(key, fallback) {
      const value = number(key, fallback)
      if (Number.isInteger(value) && value > 0 && value <= LARGEST) return value
      throw wrong(key, 'a positive whole number')
    },
    optionalId(key) {
      if (get(key) === undefined) return undefined
      const value = number(key)
      if (!Number.isInteger(value) || value < 0) throw wrong(key, 'an id')
      return value
    },
    flag(key, fallback) {
      const value = get(key)?.value ?? fallback
      if (typeof value !== 'boolean') throw wrong(key, 'true or false')
      return value
    },
    texts: (key) => list<string>(key, 'string'),
    numbers: (key) => list<number>(key, 'number'),
    flags: (key) => list<boolean>(key, 'boolean'),
    has: (key) => get(key) !== undefined,
    ignore: (...keys) => keys.forEach((key) => void asked.add(key)),
    refuseUnread: (prefix) => refuseUnread(values, asked, prefix, where),
    wrong,
  }
}

function refuseUnread(
  values: ReadonlyMap<string, GgufValue>,
  asked: ReadonlySet<string>,
  prefix: string,
  where: string,
): void {
  for (const [key, found] of values) {
    if (!key.startsWith(prefix) || asked.has(key) || isOff(found.value)) continue
    throw usageError(
      `${where}: "${key}": ${shown(found)} is not known here`,
      'a setting that may change what the model computes is never ignored; docs/gguf.md lists what is known',
    )
  }
}

const LISTS = { string: 'texts', number: 'numbers', boolean: 'flags' } as const

const isOff = (value: GgufValue['value']) =>
  value === 0 || value === false || value === '' || (Array.isArray(value) && value.length === 0)

function shown(found: GgufValue | undefined): string {
  if (found === undefined) return 'nothing'
  if (found.type === 'array') return `a list of ${found.value.length}`
  return JSON.stringify(found.value).slice(0, 80)
}

/** The shortest decimal that the same float32 is nearest to: 1e-5, not 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}
