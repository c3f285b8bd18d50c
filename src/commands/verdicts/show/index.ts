/** `clha verdicts show`: what a comparison's verdicts come to. */
import type { Command } from '../../command.js'

export const verdictsShowCommand: Command = {
  path: ['verdicts', 'show'],
  summary: 'who wins how often, how sure that is, and how far the raters can be trusted',
  examples: [
    'clha verdicts show votes.jsonl',
    'clha verdicts show votes.jsonl --baseline start --style length --style lists --ties rao_kupper',
  ],
  arguments: [['<file>', 'file of a comparison, as clha judge, vote and verdicts import write it']],
  flags: [
    { flag: '--baseline <name>', meaning: 'the system that others are compared with (default: the first)' },
    {
      flag: '--ties <how>',
      meaning: 'strengths take ties as half, or with a width: rao_kupper (default: half)',
    },
    {
      flag: '--style <look>',
      meaning: 'free strengths from length, lists, headers or bold; may be repeated',
      repeatable: true,
    },
    { flag: '--seed <number>', meaning: 'of the resampled intervals (default: 0)' },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON: all figures',
  unstoppable: true,
  async run({ args: [file], flags, ui }) {
    const { verdictsShow } = await import('./verdicts-show.js')
    return { result: verdictsShow(file, flags, ui) }
  },
}
