/** The commander program, made from a list of commands. */
import { Command as Commander, type CommanderError } from '@commander-js/extra-typings'
import { type Command, commandName } from '../commands/command.js'
import { didYouMean } from '../config/issues.js'
import { isConfigKey } from '../config/schema.js'
import { suggest } from '../config/suggest.js'
import { usageError } from '../errors.js'
import { addFlags } from './flags.js'
import { addHelpEnd, examplesText, HELP, helpWidth } from './help.js'
import { type Io, inputLines, terminalOut } from './io.js'
import { withUi } from './with-ui.js'

const GROUPS: Record<string, string> = {
  reward: 'train reward models and score with them',
  config: 'look at settings',
  data: 'look at data, check it, change it',
}

/** Commands whose example stands below the list of all. */
const EXAMPLES = 6

export interface ProgramOptions {
  version: string
  /** Help shows every flag. */
  all: boolean
  /** Is given the exit code of the command that ran. */
  finish(code: number): void
}

export function createProgram(commands: readonly Command[], io: Io, options: ProgramOptions): Commander {
  const program = new Commander('clha')
    .description(
      'Aligns language models with preferences: CLHA with reward rescoring (arXiv 2403.16649), on libtorch.',
    )
    .version(options.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'help for a command')
    .showSuggestionAfterError(false)
    .configureHelp(HELP)
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => {},
      getOutHelpWidth: () => helpWidth(io.stdout.columns),
      getErrHelpWidth: () => helpWidth(io.stderr.columns),
    }) as Commander
  const firsts = commands.slice(0, EXAMPLES).flatMap(({ examples }) => examples.slice(0, 1))
  program.addHelpText('after', examplesText(firsts))
  explainErrors(program, [...new Set(commands.map((c) => c.path[0]))], 'clha')
  const groups = new Map<string, Commander>()
  for (const entry of commands) {
    const parent = entry.path.length === 1 ? program : groupOf(entry.path[0], program, groups, commands)
    addCommand(parent, entry, { commands, io, ...options })
  }
  return program
}

interface Around extends ProgramOptions {
  commands: readonly Command[]
  io: Io
}

function addCommand(parent: Commander, entry: Command, { commands, io, all, finish }: Around): void {
  const command = parent
    .command(entry.path[entry.path.length - 1])
    .description(entry.summary)
    .helpOption('-h, --help', 'this help') as unknown as Commander
  for (const [name, meaning] of entry.arguments) command.argument(name, meaning)
  addFlags(command, entry, all)
  addHelpEnd(command, entry, all)
  explainErrors(command, [], commandName(entry))
  command.action(async () => {
    const { json: asked, ...flags } = command.opts() as Record<string, unknown>
    const json = asked === true
    const { stopping, unstoppable } = entry
    finish(
      await withUi(io, { json, stopping, unstoppable }, (ui) =>
        entry.run({
          args: command.args,
          ...{ flags, ui, commands },
          input: inputLines(io),
          terminal: terminalOut(io, json),
        }),
      ),
    )
  })
}

function groupOf(
  name: string,
  program: Commander,
  groups: Map<string, Commander>,
  commands: readonly Command[],
): Commander {
  const known = groups.get(name)
  if (known) return known
  const group = program.command(name).description(GROUPS[name] ?? name) as unknown as Commander
  const names = commands.filter((c) => c.path[0] === name).map((c) => c.path[1])
  explainErrors(group, names, `clha ${name}`)
  groups.set(name, group)
  return group
}

/** Commander's complaints in our words, with a suggestion. */
function explainErrors(command: Commander, subcommands: readonly string[], name: string): void {
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

function unknownOption(command: Commander, given: string, name: string) {
  const hint = `${name} --help-all lists its options`
  if (isConfigKey(given.replace(/^--(no-)?/, '').replaceAll('-', '_'))) {
    return usageError(`${name} does not use ${given}`, hint)
  }
  const flags = command.options.flatMap(({ long, short }) =>
    [long, short].filter((flag) => flag !== undefined),
  )
  return usageError(`unknown option "${given}".${didYouMean(suggest(given, flags))}`, hint)
}
