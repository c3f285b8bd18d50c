/** `clha relabel`: a second look at some labels, to learn how often they err. */
import { type Command, JSON_LINES } from '../command.js'

export const relabelCommand: Command = {
  path: ['relabel'],
  summary:
    'judge some pairs of a data file again, without seeing their labels: it tells how often labels err',
  examples: [
    'clha relabel prefs.jsonl --pairs 100',
    'clha rescore prefs.jsonl --reward-model ./rm --relabels prefs.relabels.jsonl',
  ],
  arguments: [['<data...>', 'files of labelled pairs or lists']],
  flags: [
    { flag: '--pairs <number>', meaning: 'pairs to judge, chosen at random (default: 100)' },
    {
      flag: '--output <file>',
      meaning: 'where judgements are kept; one that is there is gone on with (default: beside the data)',
    },
    { flag: '--annotator <name>', meaning: 'who judges (default: your name on this machine)' },
  ],
  keys: ['seed', 'dataset_format', 'columns', 'splitter'],
  groups: [{ heading: 'Data', keys: ['seed', 'dataset_format', 'columns', 'splitter'] }],
  json: JSON_LINES,
  unstoppable: true,
  async run({ args, flags, ui }) {
    const { relabel, relabelCall } = await import('./relabel.js')
    return { result: await relabel(await relabelCall(args, flags), ui) }
  },
}
