/** What the `clha data` commands have in common: the data, how it is read, where results go. */
import { loadConfig } from '../../config/load-config.js'
import type { Options } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { WRITE_FORMATS, type WriteFormat } from '../../data/write/write-rows.js'
import { usageError } from '../../errors.js'
import { camelCase } from '../../key-names.js'
import type { Ui } from '../../terminal/ui.js'
import { type Command, JSON_LINES, type OwnFlag, type TerminalOut } from '../command.js'

/** How rows are read; the keys are those of a config. */
const READING: readonly ConfigKey[] = ['dataset_format', 'columns', 'reward_column', 'splitter']

/** What a command line came to. */
export interface DataCall {
  data: readonly string[]
  /** Of the keys; the others have their defaults. */
  options: Options
  /** Of the command's own flags. */
  flags: Record<string, unknown>
  ui: Ui
  terminal: TerminalOut
}

export interface DataCommandSpec {
  name: string
  summary: string
  examples: readonly string[]
  /** Config keys that it takes beside those of reading. */
  keys?: readonly ConfigKey[]
  flags?: readonly OwnFlag[]
  /** @returns the result for `--json`, with `exitCode` where it is not 0 */
  run(call: DataCall): Promise<object>
}

/** A command on one or more data files. */
export function dataCommand({
  name,
  summary,
  examples,
  keys = [],
  flags = [],
  run,
}: DataCommandSpec): Command {
  const all = [...keys, ...READING]
  const names = new Set(all.map(camelCase))
  return {
    path: ['data', name],
    ...{ summary, examples, flags },
    arguments: [['<data...>', 'data files, folders, or names on the hub']],
    keys: all,
    groups: [{ keys }, { heading: 'Reading', keys: READING }],
    json: JSON_LINES,
    stopping: 'stopping …',
    async run({ args: data, flags: given, ui, terminal }) {
      const ofConfig = Object.fromEntries(Object.entries(given).filter(([flag]) => names.has(flag)))
      const { options } = await loadConfig(undefined, ofConfig, `data-${name}`)
      const result = await run({ data, options, flags: given, ui, terminal })
      return { result, exitCode: 'exitCode' in result ? Number(result.exitCode) : undefined }
    },
  }
}

/** Flags of the commands that write data. */
export const writingFlags = (output: string, to = 'format of the first row'): OwnFlag[] => [
  { flag: '--output <path>', meaning: output, required: true },
  { flag: '--to <format>', meaning: `${WRITE_FORMATS.join(', ')} (default: ${to})` },
  { flag: '--report <file>', meaning: 'JSON report (default: <output>.report.json)' },
  { flag: '--force', meaning: 'write over files that are there' },
]

/** @throws ClhaError (exit 2) for a format that is not written */
export function writingOptions({ data, options, flags }: DataCall) {
  const { output, to, report, force } = flags
  return {
    ...options,
    data,
    output: String(output),
    to: to === undefined ? undefined : oneOf<WriteFormat>('--to', to, WRITE_FORMATS),
    report: textOf(report),
    force: force === true,
  }
}

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
