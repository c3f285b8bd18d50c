/** What a model knows of the starter world: its answers to prompts of every kind, judged by the oracle. */
import type { Message } from '../dialogue.js'
import { usageError } from '../errors.js'
import type { ProbeFact } from './make-world.js'
import { oracle, type Verdict } from './oracle.js'
import { readPrompt } from './prompts.js'

/** One answer per prompt, in order. */
export type AnswerPrompts = (prompts: readonly Message[][]) => Promise<readonly string[]> | readonly string[]

export interface ProbeFigures {
  prompts: number
  /** Share of prompts answered with the right fact in any manner; NaN where no prompt asks for a fact. */
  factsKnown: number
  /** Share of answers with nothing to complain of. */
  perfect: number
  /** Share of answers that the oracle can't read. */
  unparsable: number
  /** Mean oracle reward. */
  reward: number
}

export interface ProbeReport extends ProbeFigures {
  byKind: Record<string, ProbeFigures>
}

/**
 * Asks a model and scores its answers with the oracle.
 * @throws ClhaError when the model gave another number of answers, or a prompt is not of the starter world
 */
export async function probe(prompts: readonly Message[][], answers: AnswerPrompts): Promise<ProbeReport> {
  const texts = await answers(prompts)
  if (texts.length !== prompts.length) {
    throw usageError(`${prompts.length} prompts got ${texts.length} answers`, 'Give one answer per prompt.')
  }
  const rows = prompts.map((prompt, i) => ({
    kind: readPrompt(prompt).kind,
    verdict: oracle(prompt, texts[i]),
  }))
  const kinds = [...new Set(rows.map((row) => row.kind))]
  const byKind = kinds.map((kind) => [kind, figures(rows.filter((row) => row.kind === kind))] as const)
  return { ...figures(rows), byKind: Object.fromEntries(byKind) }
}

/** Share of the facts that the model states right when asked in unseen words. */
export const probeFacts = (facts: readonly ProbeFact[], answers: AnswerPrompts): Promise<ProbeReport> =>
  probe(
    facts.map((fact) => fact.prompt),
    answers,
  )

function figures(rows: readonly { kind: string; verdict: Verdict }[]): ProbeFigures {
  const facts = rows.filter((row) => row.kind !== 'harmful')
  const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length
  return {
    prompts: rows.length,
    factsKnown: mean(facts.map((row) => Number(row.verdict.knowsFact))),
    perfect: mean(rows.map((row) => Number(row.verdict.perfect))),
    unparsable: mean(rows.map((row) => Number(row.verdict.label.core === 'unparsable'))),
    reward: mean(rows.map((row) => row.verdict.reward)),
  }
}
