/** Chain of hindsight: pairs as text with feedback, loss on the answers alone. */

import { answerOf } from '../data/example.js'
import type { RankedList } from '../rescore/ranked.js'
import { withMarker } from '../text/marker.js'
import type { ChatTemplate } from '../text/template.js'
import { text } from '../value-shapes.js'
import { pairsOf } from './items.js'
import type { Method, OptionsOf, Sequence, SharedOptions } from './method.js'
import { GATE_KEYS, HUMAN, likelihoodShown } from './shared.js'

export const cohKeys = {
  coh_positive: text()
    .default(' A helpful answer:')
    .describe('coh: text before better answers; also ends the prompts that a model so trained answers'),
  coh_negative: text().default(' An unhelpful answer:').describe('coh: text before worse answers'),
}

/** The sequences of a list, as literal text with one answer each. */
export function hindsight(
  list: RankedList,
  pairs: readonly { better: number; worse: number; weight: number }[],
  template: ChatTemplate,
  markers: { positive: string; negative: string },
): Sequence[] {
  const { example } = list
  const [good, bad] = [markers.positive, markers.negative].map((marker) => withMarker(template, marker))
  return pairs
    .filter(({ weight }) => weight > 0)
    .flatMap(({ better, worse, weight }, k) => {
      const prompt = template.prompt(example.prompt)
      const told = (side: ChatTemplate, index: number) => {
        const answer = side.answer(answerOf(example.candidates[index]), example.prompt)
        return { answer, marker: side.prompt(example.prompt).slice(prompt.length) }
      }
      const [up, down] = [told(good, better), told(bad, worse)]
      const forms: [string, string, number][] = [
        [prompt + up.marker, up.answer, 2],
        [prompt + down.marker, down.answer, 2],
        [prompt + down.marker + down.answer + up.marker, up.answer, 1],
        [prompt + up.marker + up.answer + down.marker, down.answer, 1],
      ]
      return forms.map(([before, answer, times], form) => ({
        weight: weight * times,
        example: {
          ...example,
          id: `${example.id}#${k}.${form}`,
          prompt: before,
          candidates: [{ text: answer }],
          preferences: [],
        },
      }))
    })
}

export const coh: Method<SharedOptions & OptionsOf<typeof cohKeys>> = {
  title: 'chain of hindsight',
  material: 'sequences',
  keys: ['coh_positive', 'coh_negative', 'list_pairs'],
  defaults: { ...HUMAN, learning_rate: 2e-5 },
  idle: [
    {
      keys: ['sft_weight', ...GATE_KEYS],
      reason: 'method: coh trains on likelihood alone; there is no further SFT term',
    },
  ],
  marker: ({ cohPositive }) => cohPositive,
  objective: async () =>
    (await import('../train/objectives/objective-sequences.js')).weightedSftObjective('coh'),
  sequences: (list, template, { cohPositive: positive, cohNegative: negative, listPairs }) =>
    hindsight(list, pairsOf(list, listPairs), template, { positive, negative }),
  shown: likelihoodShown,
}
