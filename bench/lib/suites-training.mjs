// Suites of training on the CPU.
import { KEEP_MEMORY, ours, peer } from './peers.mjs'

export function training(size, per) {
  const spec = { kind: 'train', size, per }
  const trl = (method, more) => ({ size, per, microSize: 1, method, ...more })
  const small = size === 'S'
  return {
    name: `training-${size}`,
    title: `Training ${size}, 8 pairs a step`,
    unit: 'pairs/s',
    // Contenders of M take up to 5.7 GB each.
    apart: !small,
    contenders: [
      ours('clha', spec),
      ours('padded, our engine', { ...spec, layout: 'padded', head: 'fullLogits', microSize: small ? 1 : 2 }),
      peer('TRL CPO', 'trl_trainer.py', trl('cpo')),
      peer('TRL CPO, malloc tuned', 'trl_trainer.py', trl('cpo'), { env: KEEP_MEMORY }),
      ...(small
        ? [
            peer('TRL DPO', 'trl_trainer.py', trl('dpo')),
            peer('TRL DPO, precomputed', 'trl_trainer.py', trl('dpo', { precompute: true })),
            peer('ms-swift CPO', 'ms_swift.py', { size, per, microSize: 1 }, { needs: 'swift' }),
          ]
        : []),
      peer('PyTorch prototype', 'packed.py', { size, per, microSize: 2 }),
    ],
    rows: [
      { theirs: 'padded, our engine' },
      { theirs: 'TRL CPO', goal: small ? 5 : 2.3, memory: small ? 0.6 : 0.85 },
      { theirs: 'TRL CPO, malloc tuned', goal: small ? 3.5 : undefined },
      ...(small
        ? [{ theirs: 'TRL DPO' }, { theirs: 'TRL DPO, precomputed' }, { theirs: 'ms-swift CPO' }]
        : []),
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

export function ablation(size, per) {
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

export const lists = (per) => ({
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
