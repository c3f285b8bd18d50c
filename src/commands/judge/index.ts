/** `clha judge`: a language model says which answer is better. */
import { SECTION_KEYS } from '../../config/sections.js'
import { type Command, JSON_LINES } from '../command.js'

export const judgeCommand: Command = {
  path: ['judge'],
  summary: 'ask a language model which answers are better',
  examples: [
    'clha judge start.jsonl aligned.jsonl --output verdicts.jsonl --judge-endpoint http://127.0.0.1:8000/v1 --judge-model my-judge',
    'clha judge judge.yaml start.jsonl aligned.jsonl --output verdicts.jsonl --estimate',
    'clha judge judge.yaml verdicts.jsonl',
  ],
  arguments: [
    [
      '<answers...>',
      'a file of answers for each system (name=file names one), or the file of a comparison; a YAML config may stand first',
    ],
  ],
  flags: [
    { flag: '--output <file>', meaning: 'new comparison, JSON Lines; verdicts are added as they come' },
    { flag: '--reference <file>', meaning: 'answers that are known to be good, for judge_reference' },
    {
      flag: '--rater <name>',
      meaning: 'name of the judge in the record (default: judge_model, judge_template)',
    },
    {
      flag: '--estimate',
      meaning: 'say how many requests and tokens there are and what they cost; ask nothing',
    },
  ],
  keys: SECTION_KEYS.judge,
  groups: [{ heading: 'Judge', keys: SECTION_KEYS.judge }],
  json: JSON_LINES,
  stopping: 'no further requests; what came is kept …',
  async run({ args, flags, ui }) {
    const { judge, judgeCall } = await import('./judge.js')
    return judge(await judgeCall(args, flags), ui)
  },
}
