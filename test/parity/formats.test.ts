/** Preference files in all formats and containers: each is recognised and reads to its one expected result. */
import { readExamples } from '../../src/data/read/read-examples.js'
import { json, locate, parity, skip, unequal } from './parity.js'
import { compare, type RecordedFile } from './recorded-formats.js'

/** The manifest's name -> ours. */
const OURS: Record<string, string> = {
  hh_raw: 'hh',
  trl_explicit_string: 'trl_string',
  trl_explicit_conversational: 'trl_conversational',
  trl_implicit_conversational: 'trl_implicit',
  ultrafeedback_binarized: 'trl_implicit',
  llamafactory_sharegpt: 'sharegpt_pair',
  alpaca_output_list: 'alpaca_output',
  alpaca_chosen_rejected: 'alpaca_pair',
  openai_preference: 'openai_preference',
  orca_dpo: 'orca_dpo',
  reward_bench: 'reward_bench',
  kto_conversational: 'kto',
  kto_string: 'kto',
  llamafactory_kto: 'kto_messages',
  pro_listwise: 'pro',
  rrhf: 'rrhf',
  listwise_rewards: 'listwise',
  listwise_ranks: 'listwise',
}

const MANIFEST = 'formats/manifest.json'
if (locate(MANIFEST) === undefined) skip('formats', 'not in this tree')
else {
  for (const recorded of json<{ files: RecordedFile[] }>(MANIFEST).files) {
    parity(`formats/${recorded.file}`, async (check) => {
      const path = locate(`formats/${recorded.file}`) as string
      const unpaired = recorded.expected === 'canonical_unpaired.json'
      const { examples, report } = await readExamples(path, { unpaired })
      const { found, wanted } = compare(recorded, examples)
      const ours = OURS[recorded.format]
      check('recognised', unequal(report.formats, { [ours]: recorded.rows }), 0)
      check('rows', unequal([report.rows, report.kept, report.faults], [recorded.rows, recorded.rows, []]), 0)
      found.forEach((example, i) => {
        check('examples', unequal(example, wanted[i]), 0, `row ${i + 1}`)
      })
      check('all of them', Math.abs(found.length - wanted.length), 0)
      const named = await readExamples(path, { unpaired, format: ours })
      check('named', unequal(named.examples, examples), 0)
    })
  }
}
