/** What a command on a config is: its name, what it reads, what it needs, and the work behind it. */
import type { ResolvedConfig } from '../config/load-config.js'
import type { ConfigKey, SectionName } from '../config/schema.js'
import type { Ui } from '../terminal/ui.js'
import type { OwnFlag, ShortNames } from './command.js'

/**
 * One command's work. What it says goes through `ui`; what it returns is the `--json` result, its keys written in
 * snake_case. It asks `stopRequested()` after every step, saves, and returns early when that is true.
 * `Needed` are keys that its spec names under `needs`: they are set in the options that it gets.
 * @param input lines of standard input, for `chat`
 */
export type Pipeline<Result extends object = object, Needed extends ConfigKey = never> = (
  config: ResolvedConfig<Needed>,
  ui: Ui,
  input: AsyncIterable<string>,
) => Promise<Result>

export type Need = ConfigKey | readonly ConfigKey[]

/** The keys that are set for certain: those that no other may stand in for. */
export type NeededOf<Needs extends readonly Need[]> = Extract<Needs[number], ConfigKey>

export interface PipelineSpec<Needs extends readonly Need[], Result extends object> {
  path: readonly string[]
  summary: string
  examples: readonly string[]
  /** The sections of the config that it reads; their keys are its flags. */
  sections: readonly SectionName[]
  /** Keys that have to be set; of an inner list at least one. */
  needs: Needs
  /** Keys of these sections that have no effect here: they are no flags of the command. */
  without?: readonly ConfigKey[]
  /** Keys that `--help` shows; left out: all. */
  first?: readonly ConfigKey[]
  /** Names that stand for a longer key here: the library and the command line take both. */
  short?: ShortNames
  /** Flags that are no keys. */
  flags?: readonly OwnFlag[]
  /** The positional argument may also be a data file, which then is `train_dataset`. */
  takesData?: boolean
  /** Positional arguments that are names and no config; they come to `load` as `names`. */
  names?: readonly [name: string, meaning: string]
  /** Said before its code is loaded. */
  greeting?: string
  /** Imports the code behind it. @param own values of its own flags, in camelCase */
  load(own: Record<string, unknown>): Promise<Pipeline<Result, NeededOf<Needs>>>
}

export type Needs = readonly Need[]
export type AnySpec = Omit<PipelineSpec<Needs, object>, 'load'>
