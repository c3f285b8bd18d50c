/** Nothing in the tree goes unseen: whatever no comparison here knows is a failure, not silence. */
import { type Check, entries, parity, unequal } from './parity.js'

/** Folders whose every entry is enumerated by a comparison have no list. */
const KNOWN: Record<string, string[] | undefined> = {
  clha: ['default.json', 'loss.json', 'model'],
  formats: undefined,
  losses: ['causal_nll.json', 'kto.json', 'listwise.json', 'pairwise.json', 'reward.json'],
  metrics: [
    'agreement.json',
    'calibration.json',
    'intervals.json',
    'overlap.json',
    'ratings.json',
    'tests.json',
  ],
  models: undefined,
  optim: ['schedules.json', 'trajectories.json'],
  text: ['chat_templates.json', 'strings.json', 'tokenizers'],
  trl_dpo: undefined,
}
/** Compared by tests of their rooms: test/models, test/statistics, and folders of earlier versions by test/commands/released. */
const ELSEWHERE = ['gguf', 'peft', 'released', 'statistics']
const NOT_FIXTURES = ['README.md', 'scripts', ...ELSEWHERE]

parity(
  '.',
  (check: Check) => {
    for (const folder of entries('.').filter((name) => !NOT_FIXTURES.includes(name))) {
      check('compared', unequal(folder in KNOWN, true), 0, folder)
      const files = KNOWN[folder]
      for (const file of files ? entries(folder) : [])
        check('compared', unequal(files?.includes(file), true), 0, `${folder}/${file}`)
    }
  },
  'everything in the tree is compared',
)
