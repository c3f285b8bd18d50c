/** The flags of a command, made from the schema. */
import { type Command, Option } from '@commander-js/extra-typings'
import { type FlagSpec, flagSpec } from '../config/flags.js'
import { type ConfigKey, SECTION_TITLES, SECTIONS, type SectionName } from '../config/schema.js'

/** Adds one flag for every key of these sections, except some, grouped in help by section. */
export function addConfigFlags(
  command: Command,
  sections: readonly SectionName[],
  except: readonly ConfigKey[] = [],
): void {
  for (const section of sections) {
    const keys = Object.keys(SECTIONS[section]) as ConfigKey[]
    addKeyFlags(
      command,
      keys.filter((key) => !except.includes(key)),
      `${SECTION_TITLES[section]}:`,
    )
  }
}

/** Adds the flags of single keys, under a heading of their own where one is given. */
export function addKeyFlags(command: Command, keys: readonly ConfigKey[], heading?: string): void {
  for (const option of keys.flatMap((key) => optionsOf(flagSpec(key))))
    command.addOption(heading === undefined ? option : option.helpGroup(heading))
}

function optionsOf(spec: FlagSpec): Option[] {
  const described = spec.default === '' ? spec.description : `${spec.description} (default: ${spec.default})`
  if (spec.kind === 'switch') {
    const yes = new Option(spec.flag, described)
    const no = new Option(`--no-${spec.flag.slice(2)}`, described)
    // Help shows the one that changes something.
    return spec.default === 'true' ? [yes.hideHelp(), no] : [yes, no.hideHelp()]
  }
  const option = new Option(`${spec.flag} ${spec.placeholder}`, described)
  if (spec.kind === 'value') return [option]
  const repeatable = new Option(`${spec.flag} ${spec.placeholder}`, `${described}; may be repeated`)
  return [repeatable.argParser<string[]>((value, earlier) => [...(earlier ?? []), value]) as Option]
}
