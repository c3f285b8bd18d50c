/** `clha vote`: people say which answer is better. */
import { type Command, JSON_LINES } from '../command.js'

export const voteCommand: Command = {
  path: ['vote'],
  summary: 'serve a page on which people compare answers without knowing whose they are',
  examples: [
    'clha vote start.jsonl aligned.jsonl --output votes.jsonl',
    'clha vote start.jsonl aligned.jsonl other.jsonl --output votes.jsonl --rater ann --rater bob --rank',
    'clha vote votes.jsonl --rater ann --rater bob',
  ],
  arguments: [
    [
      '<answers...>',
      'a file of answers for each system (name=file names one), or the file of a comparison that is gone on with',
    ],
  ],
  flags: [
    { flag: '--output <file>', meaning: 'new comparison, JSON Lines: it holds the whole state of the vote' },
    {
      flag: '--rater <name>',
      meaning: 'who votes; each one gets a link (default: you, and those who voted)',
      repeatable: true,
    },
    { flag: '--rank', meaning: 'rank up to four answers to each prompt, instead of comparing two' },
    { flag: '--repeats <share>', meaning: 'share of the prompts that a rater sees twice (default: 0.05)' },
    { flag: '--gold <file>', meaning: 'pairs of which is known which is better, as tests of the raters' },
  ],
  keys: ['host', 'port'],
  groups: [{ heading: 'Server', keys: ['host', 'port'] }],
  json: JSON_LINES,
  async run({ args, flags, ui }) {
    const { vote, voteCall } = await import('./vote.js')
    return { result: await vote(await voteCall(args, flags), ui) }
  },
}
