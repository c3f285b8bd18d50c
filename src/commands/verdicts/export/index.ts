/** `clha verdicts export`: a comparison for other tools. */
import type { Command } from '../../command.js'

export const verdictsExportCommand: Command = {
  path: ['verdicts', 'export'],
  summary: 'write the verdicts of a comparison for other tools, one row a verdict, with the texts',
  examples: [
    'clha verdicts export votes.jsonl --output votes.csv',
    'clha verdicts export votes.jsonl --layout arena --output battles.jsonl',
  ],
  arguments: [['<file>', 'file of a comparison']],
  flags: [
    { flag: '--output <file>', meaning: 'new file: .jsonl or .csv', required: true },
    { flag: '--layout <name>', meaning: "pairs, or arena for Chatbot Arena's columns (default: pairs)" },
    { flag: '--force', meaning: 'write over a file that is there' },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON: what was written',
  unstoppable: true,
  async run({ args: [file], flags, ui }) {
    const { verdictsExport } = await import('./verdicts-export.js')
    return { result: verdictsExport(file, flags, ui) }
  },
}
