/** What the `clha data` commands have in common: the data, how it is read, where results go. */
import type { Options } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { WRITE_FORMATS, type WriteFormat } from '../../data/write/write-rows.js'
import { camelCase } from '../../key-names.js'
import type { Ui } from '../../terminal/ui.js'
import { type Command, JSON_LINES, type OwnFlag, type TerminalOut } from '../command.js'
import { oneOf, textOf } from '../own-flags.js'

/** How rows are read; the keys are those of a config. */
export const READING: readonly ConfigKey[] = ['dataset_format', 'columns', 'reward_column', 'splitter']

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
    summary,
    examples,
    flags,
    arguments: [['<data...>', 'data files, folders, or names on the hub']],
    keys: all,
    groups: [{ keys }, { heading: 'Reading', keys: READING }],
    json: JSON_LINES,
    stopping: 'stopping …',
    async run({ args: data, flags: given, ui, terminal }) {
      const { loadConfig } = await import('../../config/load-config.js')
      const { requireOneScorer } = await import('../../stations/score/one-scorer.js')
      const ofConfig = Object.fromEntries(Object.entries(given).filter(([flag]) => names.has(flag)))
      const { options } = await loadConfig(undefined, ofConfig, `data-${name}`)
      requireOneScorer(options)
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
