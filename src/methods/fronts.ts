/** LD-DPO: of each pair the beginning of the longer answer that is as long as the shorter one, as an answer of its own. */
import type { EncodedAnswer } from '../data/encode/encoded.js'
import type { TrainItem } from '../train/loop/items.js'

const scoredTokens = ({ ids, scoredFrom }: EncodedAnswer): number => ids.length - scoredFrom

/** Items whose pairs know their fronts; a front stands behind the answers, and is scored with them. */
export function withFronts(items: readonly TrainItem[]): TrainItem[] {
  return items.map((item) => {
    const answers = [...item.encoded.answers]
    const known = new Map<string, number>()
    const frontOf = (index: number, tokens: number): number => {
      const answer = item.encoded.answers[index]
      if (scoredTokens(answer) <= tokens) return index
      const key = `${index}:${tokens}`
      const place = known.get(key) ?? answers.length
      if (place === answers.length)
        answers.push({ ...answer, ids: answer.ids.subarray(0, answer.scoredFrom + tokens), ended: false })
      known.set(key, place)
      return place
    }
    const pairs = item.pairs.map((pair) => {
      const shared = Math.min(...[pair.better, pair.worse].map((k) => scoredTokens(item.encoded.answers[k])))
      return { ...pair, fronts: [frontOf(pair.better, shared), frontOf(pair.worse, shared)] as const }
    })
    return { ...item, encoded: { ...item.encoded, answers }, pairs }
  })
}
