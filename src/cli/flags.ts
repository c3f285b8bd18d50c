/** The flags of a command as commander takes them: its own, and one for every key. */
import { type Command as Commander, Option } from '@commander-js/extra-typings'
import type { Command, OwnFlag } from '../commands/command.js'
import { type FlagSpec, flagName, flagSpec } from '../config/flags.js'
import type { ConfigKey } from '../config/schema.js'

/** Heading of the flags that one needs first. */
const FIRST = 'Most used'

/** Adds them in the order of help. @param all help shows every key, not only those that one needs first */
export function addFlags(commander: Commander, command: Command, all: boolean): void {
  for (const flag of command.flags) commander.addOption(ownOption(flag))
  const isShown = (key: ConfigKey) => all || command.first === undefined || command.first.includes(key)
  const shorts = new Map(Object.entries(command.short ?? {}).map(([name, key]) => [key, name]))
  for (const { heading, keys } of command.groups) {
    for (const key of keys) {
      for (const option of optionsOf(flagSpec(key), shorts.get(key))) {
        if (!isShown(key)) option.hideHelp()
        const title = all || command.first === undefined ? heading : FIRST
        commander.addOption(title === undefined ? option : option.helpGroup(`${title}:`))
      }
    }
  }
  if (command.json !== undefined) commander.option('--json', command.json)
}

const collect = (value: string, earlier: string[] | undefined): string[] => [...(earlier ?? []), value]

function ownOption({ flag, meaning, repeatable, required }: OwnFlag): Option {
  const option = new Option(flag, meaning).makeOptionMandatory(required === true)
  return repeatable ? (option.argParser<string[]>(collect) as Option) : option
}

function optionsOf(spec: FlagSpec, short?: string): Option[] {
  const described = spec.default === '' ? spec.description : `${spec.description} (default: ${spec.default})`
  const flag = short === undefined ? spec.flag : `${flagName(short)}, ${spec.flag}`
  if (spec.kind === 'switch') {
    const yes = new Option(flag, described)
    const no = new Option(`--no-${spec.flag.slice(2)}`, described)
    // Help shows the one that changes something.
    return spec.default === 'true' ? [yes.hideHelp(), no] : [yes, no.hideHelp()]
  }
  const option = new Option(`${flag} ${spec.placeholder}`, described)
  if (spec.kind === 'value') return [option]
  const repeatable = new Option(`${flag} ${spec.placeholder}`, `${described}; may be repeated`)
  return [repeatable.argParser<string[]>(collect) as Option]
}
