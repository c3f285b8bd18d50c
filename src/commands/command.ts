/** What a command is: data that the command line turns into flags and the library into a function. Light to import. */
import type { ConfigKey } from '../config/schema.js'
import type { Ui } from '../terminal/ui.js'

/** A flag that is no key of a config. */
export interface OwnFlag {
  /** As help shows it: `--output <path>`; without a value it is a switch. */
  flag: string
  meaning: string
  /** May be given more than once: its value is a list. */
  repeatable?: boolean
  required?: boolean
}

/** Keys under one heading of help. */
export interface KeyGroup {
  heading?: string
  keys: readonly ConfigKey[]
}

/** What a command line, or a call of the library, came to. */
export interface CommandCall {
  args: readonly string[]
  /** Keys and own flags in camelCase, as they were given. */
  flags: Record<string, unknown>
  ui: Ui
  /** The lines of standard input. */
  input: AsyncIterable<string>
  terminal: TerminalOut
  /** All commands there are. */
  commands: readonly Command[]
}

/** Standard output for what is no talk: documents, JSON lines, coloured views. */
export interface TerminalOut {
  /** `--json` was given: text belongs to standard error. */
  json: boolean
  colors: boolean
  /** Standard output. */
  print(text: string): void
  /** Where text for people goes. */
  say(text: string): void
}

export interface Outcome {
  /** One JSON line with `--json`. */
  result?: object
  /** 0 when left out. */
  exitCode?: number
}

export interface Command {
  /** Such as `['reward', 'train']`. */
  path: readonly string[]
  summary: string
  /** Whole command lines. */
  examples: readonly string[]
  /** Positional arguments as help shows them (`<file>`, `[config]`, `<data...>`), and their meaning. */
  arguments: readonly (readonly [name: string, meaning: string])[]
  /** Its own flags; they come first in help. */
  flags: readonly OwnFlag[]
  /** Config keys that it takes as flags. */
  keys: readonly ConfigKey[]
  /** The same keys as help groups them. */
  groups: readonly KeyGroup[]
  /** Keys that `--help` shows, `--help-all` shows the rest; left out: all. */
  first?: readonly ConfigKey[]
  /** Names that stand for a longer key here. */
  short?: ShortNames
  /** What `--json` does; left out: the command has no such flag. */
  json?: string
  /** Said at the first signal, in place of the usual words. */
  stopping?: string
  /** Signals end the process: the work has nothing to save. */
  unstoppable?: boolean
  /** Loads the code behind the command, and runs it. */
  run(call: CommandCall): Promise<Outcome>
}

/** Such as `learning_rate: 'reward_learning_rate'`, where a command has only the one. */
export type ShortNames = Readonly<Partial<Record<ConfigKey, ConfigKey>>>

export const JSON_LINES = 'JSON Lines on standard output, text on standard error'

/** How it is called: `clha reward train`. */
export const commandName = ({ path }: Pick<Command, 'path'>): string => `clha ${path.join(' ')}`
