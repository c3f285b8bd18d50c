// Suites of reward scoring and generation.
import { ours, peer } from './peers.mjs'

const described = (dtype) => (dtype === 'bfloat16' ? 'bf16 weights' : 'f32')

/** @param sizes of the peer's batches, the one with a goal first */
export function scoring(size, per, sizes, dtype) {
  const name = (batchSize) => `transformers, sorted, batch ${batchSize}`
  return {
    name: `scoring-${size}`,
    title: `Reward scoring ${size}, ${described(dtype)}, tokens with the prompt counted per answer`,
    unit: 'tokens/s',
    contenders: [
      ours('clha', { kind: 'score', size, per, dtype }),
      ...sizes.map((batchSize) => peer(name(batchSize), 'scoring.py', { size, per, batchSize, dtype })),
    ],
    rows: sizes.map((batchSize, i) => ({ theirs: name(batchSize), goal: i === 0 ? 2 : undefined })),
  }
}

/** Goals by the number of prompts that stand together. */
const GOALS = { 1: 1.5, 8: 2.5 }

export function generation(size, batchSize, newTokens, dtype) {
  const spec = { size, batchSize, newTokens, dtype }
  return {
    name: `generation-${size}-${batchSize}`,
    title: `Generation ${size}, batch ${batchSize}, ${newTokens} new tokens, greedy, ${described(dtype)}`,
    unit: 'tokens/s',
    contenders: [
      ours('clha', { kind: 'generate', ...spec }),
      peer('transformers generate()', 'generation.py', spec),
    ],
    rows: [{ theirs: 'transformers generate()', goal: GOALS[batchSize] }],
  }
}
