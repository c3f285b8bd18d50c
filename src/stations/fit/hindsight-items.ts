/** Ranked lists as the sequences of chain of hindsight, encoded. */
import type { LanguageModel } from '../../load/language-model.js'
import { hindsight } from '../../methods/hindsight.js'
import { pairsOf } from '../../methods/policy-items.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Session } from '../../session/session.js'
import type { TrainItem } from '../../train/loop/items.js'
import { encodeData } from '../read/load-data.js'

export async function hindsightItems(
  session: Session,
  lm: LanguageModel,
  lists: readonly RankedList[],
): Promise<TrainItem[]> {
  const { cohPositive: positive, cohNegative: negative, listPairs } = session.options
  const sequences = lists.flatMap((list) =>
    hindsight(list, pairsOf(list, listPairs), lm.template, { positive, negative }),
  )
  const weights = new Map(sequences.map(({ example, weight }) => [example, weight]))
  const all = sequences.map(({ example }) => example)
  const { examples, encoded } = await encodeData(session, lm, all, 1)
  return examples.map((example, i) => ({
    encoded: encoded[i],
    pairs: [],
    sft: { index: 0, weight: weights.get(example) as number },
    labels: [],
  }))
}
