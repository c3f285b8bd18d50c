// What is compared: contenders of each suite, and rows with their goals. A goal is a ratio ours / theirs of rates, at least;
// `memory` a ratio of peaks, at most; `most` and `least` bounds on a value of our own. `ours` names our side of a row where it
// is not `clha`; contenders of a suite with `apart` are started one after another.
import { ours } from './peers.mjs'
import { gpuSuites } from './suites-gpu.mjs'
import { generation, scoring } from './suites-inference.mjs'
import { ablation, lists, training } from './suites-training.mjs'

const values = (per) => [
  {
    name: 'calls',
    title: 'Call of an operator on one element, its result freed',
    unit: 'us',
    contenders: [ours('clha', { kind: 'calls' })],
    rows: [{ most: 3 }],
  },
  {
    name: 'overhead-S',
    title: 'Training step S outside the addon',
    unit: '%',
    contenders: [ours('clha', { kind: 'overhead', size: 'S', per })],
    rows: [{ most: 3 }],
  },
  {
    name: 'tokens',
    title: 'Reading, tokenising and packing, against training S',
    unit: 'pairs/s',
    contenders: [
      ours('clha', { kind: 'tokens', per: 2000 }),
      ours('training S', { kind: 'train', size: 'S', per }),
    ],
    rows: [{ theirs: 'training S', goal: 20 }],
  },
]

/**
 * @param quick  one step a round and short answers: a look, not a measurement
 * @param device `cuda` has suites of its own
 */
export function suites(quick, device = 'cpu') {
  if (device !== 'cpu') return gpuSuites(quick)
  const per = quick ? 8 : 24
  const newTokens = quick ? 32 : 128
  return [
    ...values(per),
    training('S', per),
    ablation('S', per),
    lists(per),
    scoring('S', quick ? 32 : 64, [4, 16]),
    generation('S', 1, newTokens),
    generation('S', 8, newTokens),
    training('M', 8),
    generation('M', 1, newTokens),
    generation('M', 8, newTokens),
  ]
}

/** Without `--only`, `--quick` leaves M alone. */
export const isQuick = ({ name }) => !name.includes('M')
