/** What encoding did to the examples: every cut, merge and drop, counted. */
import type { Preference } from '../example.js'
import type { EncodedList } from './encode-list.js'
import type { EncodedAnswer } from './encoded.js'
import type { Refused } from './refused.js'

export interface EncodeReport {
  examples: number
  kept: number
  answers: number
  /** Examples whose prompt was cut from the left. */
  promptsCut: number
  answersCut: number
  /** Answers whose first scored token begins inside the prompt. */
  boundaryMerges: number
  /** Examples of which two compared answers have the same tokens once they are cut. */
  equalAfterCut: number
  /** Examples whose text begins with a BOS of its own where the tokenizer adds one; one is kept. */
  doubleBos: number
  /** `prompt` counts shared segments once per example; `answers` all that follows them. */
  tokens: { prompt: number; answers: number }
  dropped: { id: string; file: string; row: number; reason: string }[]
  /** Those of them that the chat template can't write. */
  refused: ({ id: string; file: string; row: number } & Refused)[]
  warnings: string[]
}

/** Share of answers with a token across the boundary above which the report warns. */
const MERGE_WARNING = 0.01

export const emptyReport = (examples: number): EncodeReport => ({
  examples,
  kept: 0,
  answers: 0,
  promptsCut: 0,
  answersCut: 0,
  boundaryMerges: 0,
  equalAfterCut: 0,
  doubleBos: 0,
  tokens: { prompt: 0, answers: 0 },
  dropped: [],
  refused: [],
  warnings: [],
})

export function countList(
  report: EncodeReport,
  { promptIds, answers, promptCut, boundaryMerges, doubleBos }: EncodedList,
): void {
  report.kept++
  report.answers += answers.length
  if (promptCut > 0) report.promptsCut++
  report.boundaryMerges += boundaryMerges
  if (doubleBos) report.doubleBos++
  report.tokens.prompt += promptIds.length
  for (const { ids, truncated } of answers) {
    report.tokens.answers += ids.length
    if (truncated) report.answersCut++
  }
}

/** Whether compared answers (all of a list without preferences) are the same tokens, because they were cut. */
export function isEqualAfterCut({ answers }: EncodedList, preferences: readonly Preference[]): boolean {
  const same = (a: EncodedAnswer, b: EncodedAnswer) =>
    (a.truncated || b.truncated) && a.ids.length === b.ids.length && a.ids.every((id, i) => id === b.ids[i])
  if (preferences.length > 0)
    return preferences.some(({ better, worse }) => same(answers[better], answers[worse]))
  return answers.some((answer, i) => answers.slice(0, i).some((before) => same(before, answer)))
}

export function addWarnings(report: EncodeReport): void {
  const { boundaryMerges, answers, doubleBos, equalAfterCut, kept } = report
  if (equalAfterCut > 0) {
    report.warnings.push(
      `in ${equalAfterCut} of ${kept} examples the compared answers differ only behind the cut: they are equal as they are trained on, and teach nothing; raise max_length`,
    )
  }
  if (doubleBos > 0) {
    report.warnings.push(
      `double BOS: the chat template writes one and the tokenizer adds one, in ${doubleBos} of ${kept} prompts; one is kept`,
    )
  }
  if (boundaryMerges > MERGE_WARNING * answers) {
    const share = `${((100 * boundaryMerges) / answers).toFixed(1)} %`
    report.warnings.push(
      `${share} of the answers begin inside a token of the prompt: does the prompt end in a space?`,
    )
  }
}
