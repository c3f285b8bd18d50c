/** Examples as rows of a file format; what a format has no place for is said, never left out in silence. */

import { extrasOf, type Message, type Prompt, splitTools } from '../../dialogue.js'
import { type Candidate, type Example, type Preference, turnOf } from '../example.js'
import { preferencesOfRanks } from '../formats/answers/judged.js'
import type { RawRow } from '../formats/format.js'
import { mostPreferred } from '../preferred.js'

export const WRITE_FORMATS = ['trl', 'hh', 'listwise', 'messages', 'kto'] as const
export type WriteFormat = (typeof WRITE_FORMATS)[number]

/** How the names of files that are written end. */
export const WRITE_ENDS = ['jsonl', 'jsonl.gz', 'parquet'] as const

/** The rows of one example, or why the format can't hold it. */
export type RowsOf = (example: Example) => RawRow[] | string

/** An answer in the form of its prompt: literal text, or one assistant message. */
const answerTo = ({ prompt }: Example, answer: Candidate) =>
  typeof prompt === 'string' ? answer.text : [turnOf(answer)]

/** A prompt as columns: messages, and the tools of the dialogue where it has any. */
function promptColumns(prompt: Prompt): RawRow {
  if (typeof prompt === 'string') return { prompt }
  const { tools, messages } = splitTools(prompt)
  return { prompt: messages, ...(tools && { tools }) }
}

/** Whether an answer is more than its text: it calls tools, or there is reasoning. */
const isMore = (answer: Candidate) => extrasOf(turnOf(answer)) !== undefined
const MORE = 'tool calls and reasoning have no place in it'

const numbered = (id: string, i: number, count: number) => (count === 1 ? id : `${id}#${i + 1}`)

/** One row per preference: prompt, chosen, rejected (messages, or text where the prompt is text), and both scores. */
function trlRows(example: Example): RawRow[] | string {
  return pairRows(example, ({ better, worse }) => ({
    ...promptColumns(example.prompt),
    chosen: answerTo(example, better),
    rejected: answerTo(example, worse),
  }))
}

function pairRows(
  example: Example,
  columns: (pair: { better: Candidate; worse: Candidate }) => RawRow,
): RawRow[] | string {
  const { id, source, candidates } = example
  const labels = labelsOf(example)
  if (labels.length === 0) return 'no answer is preferred to another'
  if (typeof example.prompt === 'string' && candidates.some(isMore)) return MORE
  return labels.map(({ annotator, ...label }, i) => {
    const better = candidates[label.better]
    const worse = candidates[label.worse]
    return {
      id: numbered(id, i, labels.length),
      source,
      ...columns({ better, worse }),
      ...(annotator !== undefined && { annotator }),
      ...(better.reward !== undefined && { score_chosen: better.reward }),
      ...(worse.reward !== undefined && { score_rejected: worse.reward }),
    }
  })
}

/** The labels whose annotator is known, and the preferences of all other pairs. */
function labelsOf({ preferences, votes = [] }: Example): (Preference & { annotator?: string })[] {
  const named = votes.filter(({ annotator }) => annotator !== undefined)
  const pairOf = ({ better, worse }: Preference) => [better, worse].sort().join(' ')
  const judged = new Set(named.map(pairOf))
  return [
    ...named.flatMap(({ count, ...label }) => Array.from({ length: count }, () => label)),
    ...preferences.filter((preference) => !judged.has(pairOf(preference))),
  ]
}

/** One row per preference: two transcripts. Only what reads back to the same turns is written. */
function hhRows(example: Example): RawRow[] | string {
  const { prompt, candidates } = example
  if (typeof prompt === 'string') return 'the prompt is literal text, not turns'
  const turns = [...prompt, ...candidates.map(turnOf)]
  if (turns.some(extrasOf)) return MORE
  const fault = transcriptFault(turns)
  if (fault) return fault
  if (
    prompt.some(({ role }, i) => role !== (i % 2 === 0 ? 'user' : 'assistant')) ||
    prompt.length % 2 === 0
  ) {
    return 'the turns are not user and assistant in alternation, the user first'
  }
  const speak = ({ role, content }: Message) => `\n\n${role === 'user' ? 'Human' : 'Assistant'}: ${content}`
  const transcript = (answer: Candidate) => [...prompt, turnOf(answer)].map(speak).join('')
  return pairRows(example, ({ better, worse }) => ({
    chosen: transcript(better),
    rejected: transcript(worse),
  }))
}

function transcriptFault(turns: Message[]): string | undefined {
  for (const { content } of turns) {
    if (content === '' || content !== content.trim()) return 'a turn is empty or has space at its ends'
    if (/(?:^|\n\n)(?:Human|Assistant):/.test(content)) return 'a turn holds a role marker itself'
  }
  return undefined
}

/** How many voted for each of two answers; undefined where no votes of people without names are known. */
function votesOnTwo({ candidates, votes = [] }: Example): number[] | undefined {
  if (candidates.length !== 2 || votes.length === 0) return undefined
  if (votes.some(({ annotator }) => annotator !== undefined)) return undefined
  return [0, 1].map((i) => votes.reduce((sum, { better, count }) => sum + (better === i ? count : 0), 0))
}

/** Whether people without names voted on the example, and the format holds no more than what most of them say. */
export const losesVotes = (example: Example, format: WriteFormat): boolean =>
  ['trl', 'hh', 'listwise'].includes(format) &&
  (example.votes ?? []).some(({ annotator }) => annotator === undefined) &&
  (format !== 'listwise' || votesOnTwo(example) === undefined)

/** All answers in one row, with rewards where all have one, and the votes or the ranks that stand for the preferences. */
function listwiseRows(example: Example): RawRow[] | string {
  const { id, source, prompt, candidates, preferences } = example
  if (candidates.length === 0) return 'there is no answer'
  if (candidates.some(({ desirable }) => desirable !== undefined)) return 'a list has no place for a label'
  const annotators = new Set(labelsOf(example).map(({ annotator }) => annotator))
  if (annotators.size > 1) return 'a list has no place for the labels of several annotators'
  if (candidates.some(isMore)) return MORE
  const row: RawRow = {
    id,
    source,
    ...promptColumns(prompt),
    completions: candidates.map(({ text }) => text),
  }
  const rewards = candidates.flatMap(({ reward }) => (reward === undefined ? [] : [reward]))
  if (rewards.length > 0 && rewards.length < candidates.length) return 'some answers have a reward, some not'
  if (rewards.length > 0) row.rewards = rewards
  const origins = candidates.flatMap(({ origin }) => (origin === undefined ? [] : [origin]))
  if (origins.length === candidates.length) row.models = origins
  const [annotator] = annotators
  if (annotator !== undefined) row.annotator = annotator
  const votes = votesOnTwo(example)
  // Ranks would be read before votes.
  if (votes) return [{ ...row, votes }]
  if (preferences.length === 0) return [row]
  const ranks = ranksOf(candidates.length, preferences)
  return ranks ? [{ ...row, ranks }] : 'the preferences are no ranking'
}

/** Ranks with exactly these preferences, null for answers in none of them; undefined where there are no such ranks. */
function ranksOf(count: number, preferences: readonly Preference[]): (number | null)[] | undefined {
  const compared = new Set(preferences.flatMap(({ better, worse }) => [better, worse]))
  const wins = Array.from(
    { length: count },
    (_, i) => preferences.filter(({ better }) => better === i).length,
  )
  const ranks = wins.map((own, i) =>
    compared.has(i) ? 1 + wins.filter((other, j) => other > own && compared.has(j)).length : null,
  )
  const key = (list: readonly Preference[]) =>
    list
      .map(({ better, worse }) => better * count + worse)
      .sort((a, b) => a - b)
      .join()
  return key(preferencesOfRanks(ranks)) === key(preferences) ? ranks : undefined
}

/** For supervised fine-tuning: the dialogue with its preferred answer. */
function messagesRows(example: Example): RawRow[] | string {
  const { id, source, prompt, candidates } = example
  if (typeof prompt === 'string') return 'the prompt is literal text, not turns'
  const [best, ...others] = mostPreferred(example)
  if (best === undefined || candidates[best].desirable === false) return 'there is no answer that is wanted'
  if (others.length > 0) return 'no answer is the best one'
  const { tools, messages } = splitTools(prompt)
  return [{ id, source, messages: [...messages, turnOf(candidates[best])], ...(tools && { tools }) }]
}

/** One row per labelled answer. */
function ktoRows(example: Example): RawRow[] | string {
  const { id, source, prompt, candidates } = example
  const labelled = candidates.filter(({ desirable }) => desirable !== undefined)
  if (labelled.length === 0) return 'no answer has a label'
  if (typeof prompt === 'string' && candidates.some(isMore)) return MORE
  return labelled.map((answer, i) => {
    return {
      id: numbered(id, i, labelled.length),
      source,
      ...promptColumns(prompt),
      completion: answerTo(example, answer),
      label: answer.desirable,
    }
  })
}

/** The format that holds an example whole: labelled answers, one pair with its label, the dialogue of one answer, else a list. */
export function formatFor({ candidates, preferences, prompt, votes = [] }: Example): WriteFormat {
  if (candidates.some(({ desirable }) => desirable !== undefined)) return 'kto'
  const labelled = preferences.length === 1 || votes.length > 0
  if (candidates.length === 2 && labelled && votes.every(({ annotator }) => annotator !== undefined))
    return 'trl'
  const alone = candidates.length === 1 && candidates[0].reward === undefined
  return alone && typeof prompt !== 'string' ? 'messages' : 'listwise'
}

export const ROWS_OF: Record<WriteFormat, RowsOf> = {
  trl: trlRows,
  hh: hhRows,
  listwise: listwiseRows,
  messages: messagesRows,
  kto: ktoRows,
}
