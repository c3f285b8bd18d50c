/** Ranked lists as sequences with feedback, encoded. */
import type { LanguageModel } from '../../load/language-model.js'
import { sequencesOf } from '../../methods/registry.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Session } from '../../session/session.js'
import type { TrainItem } from '../../train/loop/items.js'
import { encodeData } from '../read/load-data.js'

export async function sequenceItems(
  session: Session,
  lm: LanguageModel,
  lists: readonly RankedList[],
): Promise<TrainItem[]> {
  const sequences = sequencesOf(session.options, lists, lm.template)
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
