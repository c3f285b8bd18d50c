/** The recorded cases of CLHA's default mode: what the loss takes, by the rescoring that training uses. */
import { CLHA_DEFAULTS, type ClhaOptions } from '../../src/losses/clha.js'
import type { LossList } from '../../src/losses/types.js'
import { type RankOptions, rankLists } from '../../src/rescore/rank.js'
import type { RankedList, RankedPair } from '../../src/rescore/ranked.js'
import { example } from '../rescore/helpers.js'

export interface DefaultCase {
  name: string
  options: {
    T: number
    e: number
    margin: number
    sft_weight: number
    level: number
    min_confidence: number
    pair_weight: RankOptions['pairWeight']
    label_source: RankOptions['labelSource']
    margin_scale: ClhaOptions['marginScale']
  }
  /** S log-prob sums, c token counts, r rewards; human preferences as [better, worse]. */
  lists: { S: number[]; c: number[]; r: number[]; human: number[][] }[]
  expected: {
    lists: { order: number[]; pairs: RankedPair[]; gate: number }[]
    clha: number
    sft: number
    total: number
    pair_weight_sum: number
    d_total_d_S: number[][]
  }
}

export const rankedLists = ({ options, lists }: Pick<DefaultCase, 'options' | 'lists'>): RankedList[] =>
  rankLists(
    lists.map(({ r, human }) => example(r.length, human)),
    lists.map(({ r }) => r),
    {
      labelSource: options.label_source,
      pairWeight: options.pair_weight,
      minConfidence: options.min_confidence,
      sftGate: 'soft',
      gateQuantile: 0.25,
      gateLevel: options.level,
    },
    () => ({ temperature: options.T, labelError: options.e }),
  )

export const lossLists = (ranked: readonly RankedList[]): LossList[] =>
  ranked.map(({ pairs, sft }) => ({
    pairs: pairs.map((p) => ({ ...p, group: 0 })),
    sft: { ...sft, group: 0 },
  }))

export const defaultOptions = ({ options }: Pick<DefaultCase, 'options'>): ClhaOptions => ({
  ...CLHA_DEFAULTS,
  margin: options.margin,
  marginScale: options.margin_scale,
  sftWeight: options.sft_weight,
})
