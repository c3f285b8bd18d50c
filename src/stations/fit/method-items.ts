/** Ranked lists as the method takes them, in tokens. */
import { corpusOf } from '../../data/corpus.js'
import { usageError } from '../../errors.js'
import type { LanguageModel } from '../../load/language-model.js'
import { type MethodOptions, materialOf, rankedItems, sequencesOf } from '../../methods/registry.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Needs } from '../../session/needs.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { RankedCorpus } from '../rank/ranked-data.js'
import { type EncodeNeeds, encodeCorpus } from '../read/encode-corpus.js'

export type ItemNeeds = EncodeNeeds & Needs<MethodOptions>

/** Items in the order of their lists; lists without room are left out. */
export async function itemsOf(
  session: ItemNeeds,
  lm: LanguageModel,
  corpus: RankedCorpus,
): Promise<TrainItem[]> {
  const { options } = session
  if (options.mode === 'legacy') checkLegacy(corpus.lists)
  if (materialOf(options) === 'sequences') return sequenceItems(session, lm, corpus.lists)
  const { lists, encoded } = await encodeCorpus(session, lm, corpus, 1)
  return rankedItems(options, lists, encoded)
}

/** Sequences with feedback. */
async function sequenceItems(
  session: ItemNeeds,
  lm: LanguageModel,
  lists: readonly RankedList[],
): Promise<TrainItem[]> {
  const sequences = sequencesOf(session.options, lists, lm.template)
  const all = {
    ...corpusOf(sequences.map(({ example }) => example)),
    weights: sequences.map(({ weight }) => weight),
  }
  const { encoded, weights } = await encodeCorpus(session, lm, all, 1)
  return encoded.map((e, i) => ({ encoded: e, pairs: [], sft: { index: 0, weight: weights[i] }, labels: [] }))
}

/** The paper's code takes lists of one length, sorted by falling reward. */
function checkLegacy(lists: readonly RankedList[]): void {
  for (const { example, rewards, order } of lists) {
    const where = `${example.file}:${example.row}`
    if (example.candidates.length !== lists[0].example.candidates.length) {
      throw usageError(
        `${where}: ${example.candidates.length} answers, the first list has ${lists[0].example.candidates.length}`,
        'mode: legacy takes lists of one length',
      )
    }
    if (order.some((c, i) => i > 0 && rewards[c] > rewards[order[i - 1]])) {
      throw usageError(
        `${where}: the list is not ordered by falling reward`,
        'mode: legacy takes lists sorted by reward: rescore them with mode: legacy',
      )
    }
  }
}
