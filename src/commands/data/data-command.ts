/** What the `clha data` commands have in common: the data, how it is read, where results go. */
import type { Command } from '@commander-js/extra-typings'
import type { Options } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { WRITE_FORMATS, type WriteFormat } from '../../data/write/write-rows.js'
import { usageError } from '../../errors.js'
import type { Ui } from '../../terminal/ui.js'
import type { CliCommand } from '../command.js'
import type { Io } from '../io.js'

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
  io: Io
  json: boolean
}

export interface DataCommandSpec {
  name: string
  summary: string
  examples: readonly string[]
  /** Config keys that it takes beside those of reading. */
  keys?: readonly ConfigKey[]
  define?(command: Command): void
  /** @returns the result for `--json`, with `exitCode` where it is not 0 */
  run(call: DataCall): Promise<object>
}

/** A command on one or more data files. */
export function dataCommand({
  name,
  summary,
  examples,
  keys = [],
  define,
  run,
}: DataCommandSpec): CliCommand {
  const all = [...keys, ...READING]
  return {
    path: ['data', name],
    summary,
    examples,
    keys: async () => all,
    async define(command) {
      const { addKeyFlags } = await import('../config-flags.js')
      command.argument('<data...>', 'data files, folders, or names on the hub')
      define?.(command)
      addKeyFlags(command, keys)
      addKeyFlags(command, READING, 'Reading:')
      command.option('--json', 'JSON Lines on standard output, text on standard error')
    },
    async run(io, args, given) {
      const { loadConfig } = await import('../../config/load-config.js')
      const { withUi } = await import('../with-ui.js')
      const { json, ...flags } = given
      const isKey = (flag: string) =>
        all.includes(flag.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`) as ConfigKey)
      const ofConfig = Object.fromEntries(Object.entries(flags).filter(([flag]) => isKey(flag)))
      const { options } = await loadConfig(undefined, ofConfig, `data-${name}`)
      const { result, stopCode } = await withUi(io, { json, stopping: 'stopping …' }, (ui) =>
        run({ data: args as string[], options, flags, ui, io, json: json === true }),
      )
      if (result === undefined) return stopCode
      return 'exitCode' in result ? (result.exitCode as number) : undefined
    },
  }
}

/** Flags of the commands that write data. */
export function addWritingFlags(command: Command, output: string, to = 'format of the first row'): void {
  command.requiredOption('--output <path>', output)
  command.option('--to <format>', `${WRITE_FORMATS.join(', ')} (default: ${to})`)
  command.option('--report <file>', 'JSON report (default: <output>.report.json)')
  command.option('--force', 'write over files that are there')
}

/** @throws ClhaError (exit 2) for a format that is not written */
export function writingOptions({ data, options, flags }: DataCall) {
  const { output, to, report, force } = flags
  return {
    ...options,
    data,
    output: output as string,
    to: to === undefined ? undefined : (oneOf('--to', to, WRITE_FORMATS) as WriteFormat),
    report: report as string | undefined,
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
