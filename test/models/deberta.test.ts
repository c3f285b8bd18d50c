/** The DeBERTa encoder as a reward model: what it refuses, and its relative positions. */
import { describe, expect, test } from 'vitest'
import type { EncodedExample } from '../../src/data/encode/encoded.js'
import { packLists } from '../../src/data/encode/pack.js'
import { debertaConfig } from '../../src/models/encoder/deberta-config.js'
import { loadRewardScorer } from '../../src/models/folders/load-reward.js'
import { relativeIndex } from '../../src/nn/relative-position.js'
import { scope } from '../../src/tensor/index.js'
import { fixture, readJson } from '../fixtures.js'

const FOLDER = 'models/rm_deberta_v3'

const listOf = (rows: readonly number[][], prompt: number[]): EncodedExample => ({
  id: 'x',
  source: '',
  promptIds: Int32Array.from(prompt),
  answers: rows.map((ids) => ({
    ids: Int32Array.from(ids.slice(prompt.length)),
    scoredFrom: 0,
    truncated: false,
    ended: true,
  })),
  promptCut: 0,
})

describe('scores', () => {
  test('a shared prompt is refused: an encoder lets the prompt see the answer', () => {
    const scorer = loadRewardScorer(fixture(FOLDER))
    const [batch] = packLists([listOf([[1, 2, 3]], [1])], { maxTokens: 64, lastToken: true })
    expect(() => scope(() => scorer.rewards(batch))).toThrow(/a prompt of its own/)
    scorer.dispose()
  })
})

describe('relative positions', () => {
  test('near distances stand for themselves, far ones share buckets, the farthest one', () => {
    const range = { buckets: 8, maxDistance: 64 }
    const near = [-4, -1, 0, 1, 4].map((d) => relativeIndex(d, range))
    expect(near).toEqual([4, 7, 8, 9, 12])
    // ceil(ln(5/4) / ln(63/4) * 3) + 4 = 5, and of 63: 7
    expect([5, 63, 500, -5, -63].map((d) => relativeIndex(d, range))).toEqual([13, 15, 15, 3, 1])
  })

  test('without buckets every distance has its own embedding, up to the largest', () => {
    const range = { buckets: 0, maxDistance: 4 }
    expect([-9, -4, 0, 3, 9].map((d) => relativeIndex(d, range))).toEqual([0, 0, 4, 7, 7])
  })
})

describe('what the encoder does not compute', () => {
  const config = readJson<Record<string, unknown>>(`${FOLDER}/config.json`)
  test.each([
    [{ conv_kernel_size: 3 }, /"conv_kernel_size": 3 is not supported/],
    [{ type_vocab_size: 2 }, /type_vocab_size/],
    [{ pos_att_type: ['c2p', 'p2p'] }, /p2p/],
    [{ relative_attention: false }, /relative_attention/],
    [{ hidden_act: 'mish' }, /mish/],
    [{ embedding_size: 16 }, /embedding_size/],
    [{ odd_switch: 2 }, /"odd_switch": 2 is not known/],
  ])('%j is an error that names the key', (change, message) => {
    expect(() => debertaConfig({ ...config, ...change })).toThrow(message)
  })

  test('keys of both generations of config.json mean the same', () => {
    const old = readJson<Record<string, unknown>>(`${FOLDER}/config.legacy.json`)
    expect(debertaConfig(old)).toEqual(debertaConfig(config))
    expect(debertaConfig({ ...config, pos_att_type: 'p2c|c2p' })).toEqual(debertaConfig(config))
  })
})
