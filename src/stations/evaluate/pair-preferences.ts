/** What a model itself thinks of labelled pairs: how often the preferred answer is the likelier one, and by how much. */
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { encodeExamples } from '../../data/encode/encode.js'
import { packLists, valuesByList } from '../../data/encode/pack.js'
import type { Example } from '../../data/example.js'
import type { LanguageModel } from '../../load/language-model.js'
import { logProbSums } from '../../models/decoder/score.js'
import type { Needs } from '../../session/needs.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount, figure, percent } from '../../show/units.js'
import { labelAgreement } from '../../statistics/agreement.js'
import type { Interval, MeanEstimate } from '../../statistics/estimate.js'
import { bootstrapMean } from '../../statistics/intervals.js'
import { mean } from '../../statistics/statistics.js'

export type PairNeeds = Needs<'maxLength' | 'maxTokensPerBatch' | 'seed', 'ui' | 'stopRequested'>

/** Log-probabilities of the answers of an example, nats: of all their tokens, and of one on average. */
interface Likelihood {
  sums: number[]
  perToken: number[]
}

/** By the place of the example; those without room are missing. */
export type Likelihoods = ReadonlyMap<number, Likelihood>

export interface PairFigures {
  pairs: number
  /** Share of pairs whose preferred answer is the likelier one; a tie counts half. 95 % Wilson interval. */
  accuracy: { value: number; interval: Interval }
  /** The same by log-probability per token, which does not care for length. */
  perToken?: { value: number; interval: Interval }
  /** Preferred minus other answer, nats, mean over lists. 95 % bootstrap interval over lists. */
  margin: MeanEstimate
}

/** @throws Stopped after a stop request */
export async function likelihoodsOf(
  session: PairNeeds,
  { model, tokenizer, template }: LanguageModel,
  examples: readonly Example[],
  label: string,
): Promise<Likelihoods> {
  const { options, ui, stopRequested } = session
  const maxLength = Math.min(options.maxLength, model.config.maxPositions)
  const { encoded, kept } = await encodeExamples(examples, tokenizer, template, {
    maxLength,
    minCandidates: 2,
  })
  const found = new Map<number, Likelihood>()
  const bar = ui.progress(encoded.length, `${label}, pairs`, 'lists', true)
  for (const batch of packLists(encoded, { maxTokens: options.maxTokensPerBatch, lastToken: false })) {
    if (stopRequested()) break
    for (const [row, sums] of valuesByList(batch, logProbSums(model, batch))) {
      const lengths = encoded[row].answers.map(({ ids, scoredFrom }) => ids.length - scoredFrom)
      found.set(kept[row], { sums, perToken: sums.map((sum, k) => sum / lengths[k]) })
    }
    bar.update(found.size)
    await yieldToLoop()
  }
  throwIfStopped(session)
  bar.done()
  return found
}

/**
 * @param base of the model that it is compared with: then it is the change of the log-probabilities that counts, DPO's implicit
 *   reward at beta 1
 * @returns undefined where no pair is left
 */
export function pairFigures(
  examples: readonly Example[],
  own: Likelihoods,
  { seed, base }: { seed: number; base?: Likelihoods },
): PairFigures | undefined {
  const rows = [...own.keys()].filter((row) => !base || base.has(row))
  if (rows.length === 0) return undefined
  const labels = rows.map((row) => examples[row].preferences)
  const rewards = rows.map((row) => {
    const before = base?.get(row)?.sums
    return (own.get(row) as Likelihood).sums.map((sum, k) => sum - (before?.[k] ?? 0))
  })
  const shareOf = (values: readonly number[][]) => {
    const { share, interval } = labelAgreement(labels, values)
    return { value: share as number, interval }
  }
  const margins = labels.map((list, i) => mean(list.map((p) => rewards[i][p.better] - rewards[i][p.worse])))
  const perToken = base ? undefined : shareOf(rows.map((row) => (own.get(row) as Likelihood).perToken))
  return {
    pairs: labels.reduce((sum, { length }) => sum + length, 0),
    accuracy: shareOf(rewards),
    ...(perToken && { perToken }),
    margin: bootstrapMean(margins, { seed }),
  }
}

const METRICS = {
  pair: { accuracy: 'pair_accuracy', perToken: 'pair_accuracy_per_token', margin: 'pair_margin' },
  reward: { accuracy: 'reward_accuracy', perToken: 'reward_accuracy_per_token', margin: 'reward_margin' },
} as const

/** Names as a run's metrics have them. */
export function pairMetrics(figures: PairFigures, kind: keyof typeof METRICS): Record<string, number> {
  const { accuracy, perToken, margin } = METRICS[kind]
  return {
    [accuracy]: figures.accuracy.value,
    ...(figures.perToken && { [perToken]: figures.perToken.value }),
    [margin]: figures.margin.value,
  }
}

/** @param against name of the model that the change is measured from */
export function pairLine(system: string, figures: PairFigures, against?: string): string {
  const { pairs, accuracy, perToken, margin } = figures
  const range = ([low, high]: Interval, show: (n: number) => string) => `${show(low)} to ${show(high)}`
  const share = `${percent(accuracy.value)} (${range(accuracy.interval, percent)}) of ${amount(pairs, 'pair')}`
  const nats = `${figure(margin.value)} nats${margin.interval ? ` (${range(margin.interval, figure)})` : ''}`
  if (against !== undefined) {
    return `${system}: against ${against} the preferred answer gained more in ${share}, margin ${nats}`
  }
  const also = perToken ? `, per token in ${percent(perToken.value)}` : ''
  return `${system}: the preferred answer is the likelier one in ${share}${also}, margin ${nats}`
}
