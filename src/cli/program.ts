/** The commander program, made from a list of commands. */
import { Command, type CommanderError } from '@commander-js/extra-typings'
import type { CliCommand } from '../commands/command.js'
import type { Io } from '../commands/io.js'
import { didYouMean } from '../config/issues.js'
import { isConfigKey } from '../config/schema.js'
import { suggest } from '../config/suggest.js'
import { usageError } from '../errors.js'

const GROUPS: Record<string, string> = {
  reward: 'train reward models and score with them',
  config: 'look at settings',
  data: 'look at data, check it, change it',
}

/** @param finish is given the exit code of the command that ran */
export function createProgram(
  commands: readonly CliCommand[],
  io: Io,
  version: string,
  finish: (code: number) => void,
): Command {
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
  explainErrors(program, [...new Set(commands.map((c) => c.path[0]))], 'clha')
  const groups = new Map<string, Command>()
  for (const entry of commands) {
    const parent = entry.path.length === 1 ? program : groupOf(entry.path[0], program, groups, commands)
    const command = parent
      .command(entry.path.at(-1)!)
      .description(entry.summary)
      .helpOption('-h, --help', 'this help')
    entry.define(command as unknown as Command)
    command.addHelpText('after', examplesText(entry.examples))
    explainErrors(command as unknown as Command, [], `clha ${entry.path.join(' ')}`)
    command.action(async () => {
      finish((await entry.run(io, command.args, command.opts())) ?? 0)
    })
  }
  return program
}

function groupOf(
  name: string,
  program: Command,
  groups: Map<string, Command>,
  commands: readonly CliCommand[],
): Command {
  const known = groups.get(name)
  if (known) return known
  const group = program.command(name).description(GROUPS[name] ?? name) as unknown as Command
  const names = commands.filter((c) => c.path[0] === name).map((c) => c.path[1])
  explainErrors(group, names, `clha ${name}`)
  groups.set(name, group)
  return group
}

const examplesText = (examples: readonly string[]): string =>
  examples.length === 0 ? '' : `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`

/** Commander's complaints in our words, with a suggestion. */
function explainErrors(command: Command, subcommands: readonly string[], name: string): void {
  command.exitOverride((error: CommanderError) => {
    const given = /'([^']+)'/.exec(error.message)?.[1] ?? ''
    if (error.code === 'commander.unknownCommand') {
      const near = didYouMean(suggest(given, subcommands))
      throw usageError(`unknown command "${given}".${near}`, `${name} --help lists the commands`)
    }
    if (error.code === 'commander.unknownOption') throw unknownOption(command, given, name)
    if (error.exitCode === 0 || error.code === 'commander.help') throw error
    throw usageError(error.message.replace(/^error: /, ''), `${name} --help`)
  })
}

function unknownOption(command: Command, given: string, name: string) {
  const hint = `${name} --help lists its options`
  if (isConfigKey(given.replace(/^--(no-)?/, '').replaceAll('-', '_'))) {
    return usageError(`${name} does not use ${given}`, hint)
  }
  const flags = command.options.map((option) => option.long ?? '')
  return usageError(`unknown option "${given}".${didYouMean(suggest(given, flags))}`, hint)
}
