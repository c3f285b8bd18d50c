/** How help looks: it fits 80 columns, and shows the flags that one needs first. */
import type { Command as Commander, HelpConfiguration } from '@commander-js/extra-typings'
import type { Command } from '../commands/command.js'
import { commandName } from '../commands/command.js'

/** Columns of a terminal that does not say how many it has, and the most that a line of help takes. */
const USUAL_WIDTH = 80
const MOST_WIDTH = 100
/** Names longer than this stand on a line of their own. */
const TERM_WIDTH = 27

export const helpWidth = (columns: number | undefined): number => Math.min(columns || USUAL_WIDTH, MOST_WIDTH)

export const HELP: HelpConfiguration = {
  subcommandTerm: (command) => command.name(),
  padWidth: (command, helper) =>
    Math.min(
      TERM_WIDTH,
      Math.max(
        helper.longestOptionTermLength(command, helper),
        helper.longestSubcommandTermLength(command, helper),
        helper.longestArgumentTermLength(command, helper),
      ),
    ),
  formatItem(term, termWidth, description, helper) {
    const indent = 2
    const left = indent + termWidth + 2
    const width = Math.max(20, (helper.helpWidth ?? USUAL_WIDTH) - left)
    const lines = helper.boxWrap(description, width).split('\n')
    const isLong = helper.displayWidth(term) > termWidth
    const [first, rest] = isLong ? ['', lines] : [lines[0], lines.slice(1)]
    const head = isLong ? term : `${term.padEnd(termWidth)}  ${first}`
    return [`${' '.repeat(indent)}${head}`, ...rest.map((line) => `${' '.repeat(left)}${line}`)]
      .map((line) => line.trimEnd())
      .join('\n')
  },
}

/** Adds what stands below the flags: how to see the others, and examples. */
export function addHelpEnd(commander: Commander, command: Command, all: boolean): void {
  const { first, keys } = command
  if (first !== undefined && !all) {
    const rest = keys.length - first.length
    commander.addHelpText('after', `\n${rest} further flags: ${commandName(command)} --help-all`)
  }
  commander.addHelpText('after', examplesText(command.examples))
}

/** Lines that are too long for a terminal go on below, as a shell takes them. */
export const examplesText = (examples: readonly string[]): string =>
  examples.length === 0 ? '' : `\nExamples:\n${examples.map(exampleLines).join('\n')}`

function exampleLines(example: string): string {
  const lines = ['  ']
  // Never inside quotes, nor between a flag and its value.
  for (const part of example.match(/--?[\w-]+(?: (?!--)(?:"[^"]*"|'[^']*'|\S+))?|"[^"]*"|'[^']*'|\S+/g) ??
    []) {
    const last = lines[lines.length - 1]
    if (last.trim() === '') lines[lines.length - 1] = last + part
    else if (last.length + part.length + 3 <= USUAL_WIDTH) lines[lines.length - 1] = `${last} ${part}`
    else {
      lines[lines.length - 1] = `${last} \\`
      lines.push(`    ${part}`)
    }
  }
  return lines.join('\n')
}
