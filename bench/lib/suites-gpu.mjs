// Suites of a GPU: a model of 1 B parameters.
import { ours, peer } from './peers.mjs'
import { generation, scoring } from './suites-inference.mjs'

const BATCH = 32
const NARROW = { dtype: 'bfloat16' }

function training(per) {
  const spec = { kind: 'train', size: 'L', per, batch: BATCH }
  const trl = (name, method, microSize, more) =>
    peer(name, 'trl_trainer.py', { size: 'L', per, batch: BATCH, method, microSize, bf16: true, ...more })
  const narrow = 'clha, bf16 weights'
  const wide = `${narrow}, 32,768 tokens a batch`
  return {
    name: 'training-L',
    title: `Training L, ${BATCH} pairs a step, bf16`,
    unit: 'pairs/s',
    contenders: [
      ours('clha', { ...spec, bf16: true }),
      ours(narrow, { ...spec, ...NARROW }),
      ours(wide, { ...spec, ...NARROW, maxTokens: 32768 }),
      trl('TRL CPO', 'cpo', 8),
      trl('TRL CPO, bf16 weights', 'cpo', 8, NARROW),
      trl('TRL CPO, bf16 weights, micro-batch 16', 'cpo', 16, NARROW),
      trl('TRL DPO, bf16 weights', 'dpo', 8, NARROW),
    ],
    rows: [
      { theirs: 'TRL CPO', goal: 1.5 },
      { ours: narrow, theirs: 'TRL CPO, bf16 weights', goal: 1.5 },
      { ours: narrow, theirs: 'TRL CPO, bf16 weights, micro-batch 16', goal: 1.5 },
      { ours: narrow, theirs: 'TRL DPO, bf16 weights' },
      ...['clha', narrow, wide].map((name) => ({ ours: name, value: 'mfu', least: 0.5 })),
    ],
  }
}

/** @param quick as of `suites` */
export const gpuSuites = (quick) => [
  training(quick ? BATCH : 4 * BATCH),
  scoring('L', quick ? 64 : 256, [16, 64], 'bfloat16'),
  ...[1, 8, 64].map((batchSize) => generation('L', batchSize, quick ? 32 : 128, 'bfloat16')),
]
