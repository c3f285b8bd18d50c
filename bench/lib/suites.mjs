// What is compared: contenders of each suite, and rows with their goals. A goal is a ratio ours / theirs of rates, at least;
// `memory` a ratio of peaks, at most; `most` a bound on a value of our own.

const ours = (name, spec) => ({ name, worker: spec })
const peer = (name, script, spec, env) => ({ name, script, spec, env })

/** glibc told to keep what is freed: what a careful user sets by hand. */
const KEEP_MEMORY = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '100000000000',
  MALLOC_TOP_PAD_: '268435456',
  MALLOC_ARENA_MAX: '1',
}

function training(size, per) {
  const spec = { kind: 'train', size, per }
  const trl = (method, more) => ({ size, per, microSize: 1, method, ...more })
  const small = size === 'S'
  return {
    name: `training-${size}`,
    title: `Training ${size}, 8 pairs a step`,
    unit: 'pairs/s',
    contenders: [
      ours('clha', spec),
      ours('padded, our engine', { ...spec, layout: 'padded', head: 'fullLogits', microSize: small ? 1 : 2 }),
      peer('TRL CPO', 'trl_trainer.py', trl('cpo')),
      peer('TRL CPO, malloc tuned', 'trl_trainer.py', trl('cpo'), KEEP_MEMORY),
      ...(small
        ? [
            peer('TRL DPO', 'trl_trainer.py', trl('dpo')),
            peer('TRL DPO, precomputed', 'trl_trainer.py', trl('dpo', { precompute: true })),
          ]
        : []),
      peer('PyTorch prototype', 'packed.py', { size, per, microSize: 2 }),
    ],
    rows: [
      { theirs: 'padded, our engine' },
      { theirs: 'TRL CPO', goal: small ? 5 : 2.3, memory: small ? 0.6 : 0.85 },
      { theirs: 'TRL CPO, malloc tuned', goal: small ? 3.5 : undefined },
      ...(small ? [{ theirs: 'TRL DPO' }, { theirs: 'TRL DPO, precomputed' }] : []),
      { theirs: 'PyTorch prototype', goal: 1.2 },
    ],
  }
}

const TECHNIQUES = {
  'prompt sharing': { layout: 'unshared' },
  'head on answers only': { head: 'everyRow' },
  'chunked log-probabilities': { off: ['chunked'] },
  'fused AdamW': { off: ['adamw'] },
  'packed attention': { off: ['attention'] },
  'fused rotary': { off: ['rotary'] },
  'fused norm': { off: ['norm'] },
  'fused gate': { off: ['gated'] },
  'matrix products by oneDNN': { off: ['linear'] },
}

function ablation(size, per) {
  const spec = { kind: 'train', size, per }
  const without = Object.entries(TECHNIQUES).map(([name, change]) => [`without ${name}`, change])
  const all = {
    layout: 'padded',
    head: 'fullLogits',
    microSize: 1,
    off: Object.values(TECHNIQUES).flatMap((t) => t.off ?? []),
  }
  without.push(['without all', all])
  return {
    name: `ablation-${size}`,
    title: `Each technique switched off, training ${size}`,
    unit: 'pairs/s',
    contenders: [ours('clha', spec), ...without.map(([name, change]) => ours(name, { ...spec, ...change }))],
    rows: without.map(([theirs]) => ({ theirs, goal: 1 })),
  }
}

const lists = (per) => ({
  name: 'lists-4',
  title: 'Lists of four answers, training S, 8 lists a step',
  unit: 'lists/s',
  contenders: [
    ours('clha', { kind: 'train', size: 'S', set: 'lists', per }),
    ours('padded, our engine', {
      kind: 'train',
      size: 'S',
      set: 'lists',
      per,
      layout: 'padded',
      head: 'fullLogits',
      microSize: 1,
    }),
    peer('PyTorch prototype', 'packed.py', { size: 'S', set: 'lists', per, microSize: 1 }),
  ],
  rows: [{ theirs: 'padded, our engine', goal: 4 }, { theirs: 'PyTorch prototype' }],
})

const scoring = (per) => ({
  name: 'scoring-S',
  title: 'Reward scoring S, tokens with the prompt counted per answer',
  unit: 'tokens/s',
  contenders: [
    ours('clha', { kind: 'score', size: 'S', per }),
    peer('transformers, sorted, batch 4', 'scoring.py', { size: 'S', per, batchSize: 4 }),
    peer('transformers, sorted, batch 16', 'scoring.py', { size: 'S', per, batchSize: 16 }),
  ],
  rows: [{ theirs: 'transformers, sorted, batch 4', goal: 2 }, { theirs: 'transformers, sorted, batch 16' }],
})

const generation = (size, batchSize, newTokens) => ({
  name: `generation-${size}-${batchSize}`,
  title: `Generation ${size}, batch ${batchSize}, ${newTokens} new tokens, greedy, f32`,
  unit: 'tokens/s',
  contenders: [
    ours('clha', { kind: 'generate', size, batchSize, newTokens }),
    peer('transformers generate()', 'generation.py', { size, batchSize, newTokens }),
  ],
  rows: [{ theirs: 'transformers generate()', goal: batchSize === 1 ? 1.5 : 2.5 }],
})

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

/** @param quick one step a round and short answers: a look, not a measurement */
export function suites(quick) {
  const per = quick ? 8 : 24
  const newTokens = quick ? 32 : 128
  return [
    ...values(per),
    training('S', per),
    ablation('S', per),
    lists(per),
    scoring(quick ? 32 : 64),
    generation('S', 1, newTokens),
    generation('S', 8, newTokens),
    training('M', 8),
    generation('M', 1, newTokens),
    generation('M', 8, newTokens),
  ]
}

/** Without `--only`, `--quick` leaves M alone. */
export const isQuick = ({ name }) => !name.includes('M')
