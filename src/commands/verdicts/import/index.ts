/** `clha verdicts import`: verdicts of other tools. */
import type { Command } from '../../command.js'

export const verdictsImportCommand: Command = {
  path: ['verdicts', 'import'],
  summary: 'read verdicts of other tools: rows of pairs (CSV, JSON lines), Chatbot Arena, MT-bench',
  examples: [
    'clha verdicts import votes.csv --output votes.jsonl',
    'clha verdicts import arena.parquet --layout arena --output arena.jsonl',
  ],
  arguments: [['<files...>', 'JSON lines, JSON, CSV, TSV or Parquet']],
  flags: [
    { flag: '--output <file>', meaning: 'new file of the comparison, .jsonl', required: true },
    {
      flag: '--layout <name>',
      meaning: 'pairs, arena or mt_bench (default: by the columns of the first row)',
    },
    { flag: '--name <text>', meaning: 'what is compared, for people' },
    { flag: '--skip-bad', meaning: 'leave out rows that are no verdict; they are counted' },
  ],
  keys: [],
  groups: [],
  json: 'one line of JSON: what was read',
  async run({ args, flags, ui }) {
    const { verdictsImport } = await import('./verdicts-import.js')
    return { result: await verdictsImport(args, flags, ui) }
  },
}
