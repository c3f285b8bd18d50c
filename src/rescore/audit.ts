/** The audit of ranked lists: what became of the labels, by source, and how far that can be trusted. */
import type { Preference } from '../data/example.js'
import type { Prompt } from '../dialogue.js'
import { type Proportion, proportion } from '../statistics/agreement.js'
import { groupBy } from '../statistics/group-by.js'
import {
  type AuditCounts,
  type AuditedLengths,
  auditLengths,
  checkTruth,
  countLists,
  type Histogram,
  rewardHistograms,
  type TruthCheck,
} from './audit-parts.js'
import { type AuditWarning, auditWarnings, type PairsAgain } from './audit-warnings.js'
import type { LabelSource, UncertainScale } from './beliefs.js'
import type { FoldCalibration } from './calibrate.js'
import { type Expected, expectedSentence, expectedShares } from './expected.js'
import { samePair } from './pairs.js'
import type { LabelVerdict, RankedList } from './ranked.js'
import type { ScorerAudit } from './scorers/combine.js'
import { scorerWarnings } from './scorers/scorer-warnings.js'
import type { PooledVotes } from './votes.js'

export interface AuditOptions {
  /** How many reversed and how many doubtful labels to show; 10. */
  examples?: number
  /** The threshold on raw rewards to compare with; the paper's 3. */
  threshold?: number
  /** Where the truth is known: whether each of a list's preferences is really reversed. */
  truth?: (list: RankedList) => readonly boolean[]
  /** What the lists were made from. */
  evidence?: { votes: PooledVotes; scale: (i: number) => UncertainScale }
  labelSource?: LabelSource
  /** What labels say of each of several scorers. */
  scorers?: readonly ScorerAudit[]
}

/** One label worth reading. */
export interface LabelExample {
  id: string
  file: string
  row: number
  source: string
  prompt: Prompt
  /** The answer that the label prefers, and its reward. */
  preferred: { text: string; reward: number }
  other: { text: string; reward: number }
  /** Probability that the label is right. */
  belief: number
  /** Where the truth is known: whether the label really is reversed. */
  trulyReversed?: boolean
}

/** Plain JSON. */
export interface AuditReport {
  total: AuditCounts
  sources: Record<string, AuditCounts>
  calibrations: FoldCalibration[]
  /** Where several scorers made the rewards. */
  scorers?: readonly ScorerAudit[]
  /** Who decided, `auto` resolved; absent in legacy. */
  labelSource?: LabelSource
  /** Shares of right orders to expect, and what they come to in a sentence. */
  expected?: Expected & { sentence: string }
  /** Prompts that come again, pairs that stand in several rows, and how many of these are taken for copies of one label. */
  again?: PairsAgain
  /** Pairs whose raw rewards differ by more than the paper's threshold. */
  threshold: { value: number; kept: Proportion }
  length: AuditedLengths
  histograms: { before: Histogram; after: Histogram }
  /** Most surely wrong first. */
  reversed: LabelExample[]
  /** Least believed first. */
  doubtful: LabelExample[]
  truth?: TruthCheck
  warnings: AuditWarning[]
}

/** Sums up ranked lists and the calibrations they rest on. */
export function auditReport(
  lists: readonly RankedList[],
  calibrations: readonly FoldCalibration[],
  options: AuditOptions = {},
): AuditReport {
  const { examples = 10, threshold = 3, truth, evidence, labelSource, scorers } = options
  const total = countLists(lists)
  const bySource = groupBy(lists, ({ example }) => example.source)
  const sources = Object.fromEntries([...bySource].map(([source, part]) => [source, countLists(part)]))
  const far = lists.reduce(
    (sum, list) => sum + list.pairs.filter((pair) => apart(list, pair) > threshold).length,
    0,
  )
  const kept = proportion(far, total.pairs.total)
  const length = auditLengths(lists)
  const found = evidence && expectedShares(lists, (i) => evidence.votes.byExample[i], evidence.scale)
  const determined = calibrations.every((c) => c.determined)
  const expected = found && { ...found, sentence: expectedSentence(found, determined) }
  const again = evidence && comesAgain(lists, evidence.votes)
  return {
    total,
    sources,
    calibrations: [...calibrations],
    ...(scorers && { scorers }),
    ...(labelSource && { labelSource }),
    ...(expected && { expected }),
    ...(again && { again }),
    threshold: { value: threshold, kept },
    length,
    histograms: rewardHistograms(lists),
    reversed: labelExamples(lists, 'reversed', examples, truth),
    doubtful: labelExamples(lists, 'doubtful', examples, truth),
    ...(truth && { truth: checkTruth(lists, truth) }),
    warnings: [
      ...auditWarnings({ total, sources, calibrations, length, expected, again, labelSource }),
      ...scorerWarnings(scorers ?? []),
    ],
  }
}

function comesAgain(lists: readonly RankedList[], votes: PooledVotes): PairsAgain {
  const prompts = new Set(votes.prompts).size
  const repeated = votes.repeated.flat()
  const different = repeated.filter((again) => !again).length
  return {
    lists: lists.length,
    prompts,
    pairs: votes.pairsAgain,
    copies: votes.copies,
    rowsAPair: different > 0 ? repeated.length / different : 1,
  }
}

const apart = ({ rewards }: RankedList, { better, worse }: { better: number; worse: number }) =>
  Math.abs(rewards[better] - rewards[worse])

function labelExamples(
  lists: readonly RankedList[],
  verdict: LabelVerdict['verdict'],
  limit: number,
  truth?: AuditOptions['truth'],
): LabelExample[] {
  return lists
    .flatMap((list) =>
      list.labels.filter((label) => label.verdict === verdict).map((label) => ({ list, label })),
    )
    .sort((a, b) => a.label.belief - b.label.belief)
    .slice(0, limit)
    .map(({ list, label: { better, worse, belief } }) => {
      const { example, rewards } = list
      const { id, file, row, source, prompt, candidates } = example
      const side = (k: number) => ({ text: candidates[k].text, reward: rewards[k] })
      return {
        id,
        file,
        row,
        source,
        prompt,
        preferred: side(better),
        other: side(worse),
        belief,
        ...(truth && { trulyReversed: isReversed(list, { better, worse }, truth(list)) }),
      }
    })
}

/** Votes that cancel leave no label, and other votes may have turned a preference round: labels are found by their answers. */
function isReversed(
  { example }: RankedList,
  label: Preference,
  wrong: readonly boolean[],
): boolean | undefined {
  const k = example.preferences.findIndex((preference) => samePair(preference, label))
  return k < 0 ? undefined : wrong[k] === (example.preferences[k].better === label.better)
}
