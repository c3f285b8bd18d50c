/** Verdicts as preferences to train on: an example an item, a vote a verdict, with who gave it. */
import type { Example, Vote } from '../../data/example.js'
import { majorities } from '../../data/pair-votes.js'
import type { ReadFault } from '../../data/read/row-fault.js'
import { pairVotes } from '../../rescore/votes.js'
import { countedRows } from '../counted.js'
import type { Comparison, ComparisonItem } from '../types.js'

/**
 * Ties, both bad and errors say nothing of which answer is better; items without any label are counted as faults, and so
 * are items whose texts are not known.
 */
export function preferencesOf({ path, items, rows }: Comparison): {
  examples: Example[]
  faults: ReadFault[]
} {
  const decided = countedRows(rows).filter(({ verdict }) => verdict === 'a' || verdict === 'b')
  const examples: Example[] = []
  const faults: ReadFault[] = []
  for (const [i, item] of items.entries()) {
    // Lines count from 1, and the first is the header.
    const place = { file: path, row: i + 2 }
    const own = decided.filter((row) => row.item === item.item)
    const reason = own.length === 0 ? 'no verdict names a winner' : unknownText(item)
    if (reason !== undefined) {
      const code = own.length === 0 ? 'no_preference' : 'no_text'
      faults.push({ ...place, kind: 'content', code, reason: `item ${item.item}: ${reason}` })
      continue
    }
    const at = (system: string) => item.answers.findIndex((answer) => answer.system === system)
    const votes = own.map(({ systems: [a, b], verdict, rater }): Vote => {
      const [better, worse] = verdict === 'a' ? [a, b] : [b, a]
      return { better: at(better), worse: at(worse), count: 1, annotator: rater }
    })
    const example: Example = {
      id: item.item,
      prompt: item.prompt,
      source: item.source ?? 'votes',
      ...place,
      candidates: item.answers.map(({ system, text }) => ({ text: text ?? '', origin: system })),
      preferences: [],
      votes,
    }
    examples.push({ ...example, preferences: majorities(pairVotes(example)) })
  }
  return { examples, faults }
}

const unknownText = ({ answers }: ComparisonItem): string | undefined =>
  answers.some(({ text }) => text === undefined) ? 'the texts of its answers are not known' : undefined
