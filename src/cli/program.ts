/** The commander program, made from a list of commands. */
import { Command, type CommanderError } from '@commander-js/extra-typings'
import type { CliCommand } from '../commands/command.js'
import type { Io } from '../commands/io.js'
import { didYouMean, suggest } from '../config/suggest.js'
import { usageError } from '../errors.js'

const GROUPS: Record<string, string> = {
  reward: 'train reward models and score with them',
  config: 'look at settings',
  data: 'look at data, check it, change it',
}

/** What a call is about: only the command that it names is given its flags, for most of them take long to load. */
export interface CallNames {
  argv: readonly string[]
  /** Whether a name is a key of the config, where the call has flags. */
  isConfigKey(name: string): boolean
}

/** @param finish is given the exit code of the command that ran */
export async function createProgram(
  commands: readonly CliCommand[],
  io: Io,
  version: string,
  { argv, isConfigKey }: CallNames,
  finish: (code: number) => void,
): Promise<Command> {
  const program = new Command('clha')
    .description(
      'Aligns language models with preferences: CLHA with reward rescoring (arXiv 2403.16649), on libtorch.',
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'help for a command')
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => Math.min(io.stdout.columns || 110, 120),
      getErrHelpWidth: () => Math.min(io.stderr.columns || 110, 120),
    }) as Command
  const ends = commands.map((c) => c.examples[0]).filter((example) => example !== undefined)
  program.addHelpText('after', examplesText(ends))
  const explain = (command: Command, subcommands: readonly string[], name: string) =>
    explainErrors(command, subcommands, name, isConfigKey)
  explain(program, [...new Set(commands.map((c) => c.path[0]))], 'clha')
  const groups = new Map<string, Command>()
  const groupOf = (name: string): Command => {
    const known = groups.get(name)
    if (known) return known
    const group = program.command(name).description(GROUPS[name] ?? name) as unknown as Command
    const names = commands.filter((c) => c.path[0] === name).map((c) => c.path[1])
    explain(group, names, `clha ${name}`)
    groups.set(name, group)
    return group
  }
  for (const entry of commands) {
    const parent = entry.path.length === 1 ? program : groupOf(entry.path[0])
    const command = parent
      .command(entry.path.at(-1)!)
      .description(entry.summary)
      .helpOption('-h, --help', 'this help')
    if (isNamed(entry, argv)) await entry.define(command as unknown as Command)
    command.addHelpText('after', examplesText(entry.examples))
    explain(command as unknown as Command, [], `clha ${entry.path.join(' ')}`)
    command.action(async () => {
      finish((await entry.run(io, command.args, command.opts())) ?? 0)
    })
  }
  return program
}

/** `clha data lint …` and `clha help data lint` name `['data', 'lint']`. */
function isNamed({ path }: CliCommand, argv: readonly string[]): boolean {
  const words = argv.filter((word) => !word.startsWith('-'))
  const named = words[0] === 'help' ? words.slice(1) : words
  return path.every((word, i) => named[i] === word)
}

const examplesText = (examples: readonly string[]): string =>
  examples.length === 0 ? '' : `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`

/** Commander's complaints in our words, with a suggestion. */
function explainErrors(
  command: Command,
  subcommands: readonly string[],
  name: string,
  isConfigKey: CallNames['isConfigKey'],
): void {
  command.exitOverride((error: CommanderError) => {
    const given = /'([^']+)'/.exec(error.message)?.[1] ?? ''
    if (error.code === 'commander.unknownCommand') {
      const near = didYouMean(suggest(given, subcommands))
      throw usageError(`unknown command "${given}".${near}`, `${name} --help lists the commands`)
    }
    if (error.code === 'commander.unknownOption') throw unknownOption(command, given, name, isConfigKey)
    if (error.exitCode === 0 || error.code === 'commander.help') throw error
    throw usageError(error.message.replace(/^error: /, ''), `${name} --help`)
  })
}

function unknownOption(command: Command, given: string, name: string, isConfigKey: CallNames['isConfigKey']) {
  const hint = `${name} --help lists its options`
  if (isConfigKey(given.replace(/^--(no-)?/, '').replaceAll('-', '_'))) {
    return usageError(`${name} does not use ${given}`, hint)
  }
  const flags = command.options.map((option) => option.long ?? '')
  return usageError(`unknown option "${given}".${didYouMean(suggest(given, flags))}`, hint)
}
