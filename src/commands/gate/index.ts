/** `clha gate`: whether a report fulfils conditions, for scripts and CI. */
import type { Command } from '../command.js'

export const gateCommand: Command = {
  path: ['gate'],
  summary: 'hold a report against conditions; exit code 0 where all hold, 8 where one fails',
  examples: [
    'clha gate runs/my-eval/report.json --require "winrate.lower > 0.5"',
    'clha gate report.json --require "winrate.lower > 0.5" --require "length.ratio <= 1.2" --json',
  ],
  arguments: [['<report>', 'report.json of clha eval, compare or reward eval']],
  flags: [
    {
      flag: '--require <condition>',
      meaning: 'a measure, or an end of its interval, and a bound: "winrate.lower > 0.5"; may be repeated',
      repeatable: true,
      required: true,
    },
    {
      flag: '--system <name>',
      meaning: 'the system of the report that is meant (default: the one it is about)',
    },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON: every condition with what was found',
  unstoppable: true,
  async run({ args: [report], flags: { require, system }, ui }) {
    const { gate } = await import('./gate.js')
    const conditions = [require ?? []].flat().map(String)
    const result = gate(report, conditions, system === undefined ? undefined : String(system), ui)
    return { result, exitCode: result.exitCode }
  },
}
