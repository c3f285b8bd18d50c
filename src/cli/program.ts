/** The commander program, made from a list of commands. */
import { Command as Commander, type CommanderError } from '@commander-js/extra-typings'
import { type Command, commandName } from '../commands/command.js'
import { SECTION_KEYS } from '../config/sections.js'
import { didYouMean, suggest } from '../config/suggest.js'
import { usageError } from '../errors.js'
import { addHelpEnd, examplesText, HELP, helpWidth } from './help.js'
import { type Io, inputLines, terminalOut } from './io.js'

const CONFIG_KEYS = new Set<string>(Object.values(SECTION_KEYS).flat())

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
  /** The call: only the command that it names is given its flags, for most of them take a while to load. */
  argv: readonly string[]
  /** Is given the exit code of the command that ran. */
  finish(code: number): void
}

export async function createProgram(
  commands: readonly Command[],
  io: Io,
  options: ProgramOptions,
): Promise<Commander> {
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
    await addCommand(parent, entry, { commands, io, ...options })
  }
  return program
}

interface Around extends ProgramOptions {
  commands: readonly Command[]
  io: Io
}

/** `clha data lint …` and `clha help data lint` name `['data', 'lint']`. */
function isNamed({ path }: Command, argv: readonly string[]): boolean {
  const words = argv.filter((word) => !word.startsWith('-'))
  const named = words[0] === 'help' ? words.slice(1) : words
  return path.every((word, i) => named[i] === word)
}

async function addCommand(
  parent: Commander,
  entry: Command,
  { commands, io, all, argv, finish }: Around,
): Promise<void> {
  const command = parent
    .command(entry.path[entry.path.length - 1])
    .description(entry.summary)
    .helpOption('-h, --help', 'this help') as unknown as Commander
  for (const [name, meaning] of entry.arguments) command.argument(name, meaning)
  if (isNamed(entry, argv)) (await import('./flags.js')).addFlags(command, entry, all)
  addHelpEnd(command, entry, all)
  explainErrors(command, [], commandName(entry))
  command.action(async () => {
    refuseUnknownLevel(io.env.CLHA_CPU_LEVEL)
    const { json: asked, ...flags } = command.opts() as Record<string, unknown>
    const json = asked === true
    const { stopping, unstoppable } = entry
    const { withUi } = await import('./with-ui.js')
    finish(
      await withUi(io, { json, stopping, unstoppable }, (ui) =>
        entry.run({
          args: command.args,
          flags,
          ui,
          commands,
          input: inputLines(io),
          terminal: terminalOut(io, json),
        }),
      ),
    )
  })
}

/** Whether the processor has the level is the engine's to say: most commands never load it. */
function refuseUnknownLevel(level: string | undefined): void {
  if (level && !['avx512', 'avx2', 'default'].includes(level))
    throw usageError(
      `CLHA_CPU_LEVEL is ${level}; levels are avx512, avx2 and default`,
      'unset it, or take one of them',
    )
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
  const key = given.replace(/^--(no-)?/, '').replaceAll('-', '_')
  if (CONFIG_KEYS.has(key)) {
    return usageError(`${name} does not use ${given}`, hint)
  }
  const flags = command.options.flatMap(({ long, short }) =>
    [long, short].filter((flag) => flag !== undefined),
  )
  return usageError(`unknown option "${given}".${didYouMean(suggest(given, flags))}`, hint)
}
