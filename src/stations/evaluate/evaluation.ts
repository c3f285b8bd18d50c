/** Systems' answers scored by every scorer and compared prompt by prompt: the rows, samples and judgements of a report. */
import type { Prompt } from '../../dialogue.js'
import { promptText } from '../../dialogue.js'
import { compare, indicesBySource } from '../../evaluate/compare.js'
import type { MeasuredSystems, Measures } from '../../evaluate/measures.js'
import { bestRole, byTrust, SCORER_ROLES, whoIs } from '../../evaluate/scorer-roles.js'
import { measuresOfSystem, withLength } from '../../evaluate/system-measures.js'
import { evaluateSystem } from '../../evaluate/system-summary.js'
import { type EvaluatedSystem, evaluationReport, type ScorerNames } from '../../report/evaluation-rows.js'
import type { EvaluationReport, EvaluationRow, SampleReport } from '../../report/types.js'
import type { Judgement } from '../../report/verdicts/judgements.js'
import type { Needs } from '../../session/needs.js'
import { bootstrapMean } from '../../statistics/intervals.js'
import { characters } from '../../text/lengths.js'
import type { Answer } from '../answer/answer.js'
import type { Scorer } from './scorers.js'

/** An answer of a model, or of a file that knows its text alone. */
export interface AnsweredText {
  text: string
  tokens?: number
  finishReason?: Answer['finishReason']
}

/** Generated answers as they are evaluated. */
export const answered = (answers: readonly Answer[]): AnsweredText[] =>
  answers.map(({ text, ids, finishReason }) => ({ text, tokens: ids.length, finishReason }))

/** How answers were drawn, as reports call it. */
export const decodingName = (temperature: number): string =>
  temperature === 0 ? 'greedy' : `sampled at temperature ${temperature}`

export interface AnsweredSystem {
  name: string
  /** As of `decodingName`, or `as given` for the answers of a file. */
  decoding: string
  answers: readonly AnsweredText[]
  /** How far it is from the start, where that was measured. */
  fromStart?: Measures
}

export interface EvaluationInput {
  prompts: readonly Prompt[]
  /** Source of each prompt. */
  sources: readonly string[]
  references?: readonly string[]
  /** In the order of the report; differences are later minus earlier. */
  systems: readonly AnsweredSystem[]
  scorers: readonly Scorer[]
  /** Name of the system that wins are counted against. */
  baseline: string
  /** Reward that the world knows of prompt i and a text. */
  trueReward?(i: number, text: string): number
}

export interface Evaluation {
  report: EvaluationReport
  samples: SampleReport[]
  evaluations: EvaluatedSystem[]
  /** Rewards of every system's answers, by its name and decoding and by scorer. */
  scored: readonly ScoredSystem[]
  measures?: MeasuredSystems
  /** What every scorer says of every system but the baseline, over all prompts. */
  judgements: Judgement[]
}

/** Names of the scorers in the columns of the report. */
const COLUMNS: ScorerNames = Object.fromEntries(SCORER_ROLES.map(({ column, name }) => [column, name]))

export interface ScoredSystem extends AnsweredSystem {
  texts: string[]
  rewards: Record<string, number[]>
}

/** Scores all systems and compares them prompt by prompt. Lengths are in tokens, of files in characters. */
export async function evaluateSystems(
  { options }: Needs<'seed'>,
  input: EvaluationInput,
): Promise<Evaluation> {
  const scored: ScoredSystem[] = []
  for (const system of input.systems) scored.push(await scoreSystem(system, input))
  const bootstrap = { seed: options.seed }
  const evaluations = scored.map((system) => {
    const { name, decoding, texts, rewards, answers } = system
    const baseline = baselineOf(system, scored, input.baseline)
    const evaluation = evaluateSystem({
      sources: input.sources,
      answers: texts,
      rewards,
      references: input.references,
      baseline: baseline?.rewards,
      baselineAnswers: baseline?.texts,
      truncated: answers.every(({ finishReason }) => finishReason !== undefined)
        ? answers.map(({ finishReason }) => finishReason === 'length')
        : undefined,
      options: bootstrap,
    })
    return { system: name, decoding, evaluation }
  })
  const report = evaluationReport(input.baseline, evaluations, COLUMNS)
  const unit = scored.every(({ answers }) => answers.every(({ tokens }) => tokens !== undefined))
    ? 'tokens'
    : 'characters'
  const rows = report.rows.map((row) => ({
    ...row,
    length: lengthOf(row, { scored, unit, sources: input.sources, seed: options.seed }),
    ...(row.source === 'total' && { kl: systemOf(row, scored).fromStart?.kl }),
  }))
  const differences = pairedDifferences(scored, options.seed)
  return {
    report: { ...report, lengthUnit: unit, rows, ...(differences.length > 0 && { differences }) },
    samples: samplesOf(scored, input),
    evaluations,
    scored,
    measures: measuresOf(input, evaluations, rows),
    judgements: judgementsOf(input.baseline, evaluations),
  }
}

async function scoreSystem(
  system: AnsweredSystem,
  { prompts, scorers, trueReward }: EvaluationInput,
): Promise<ScoredSystem> {
  const texts = system.answers.map(({ text }) => text)
  const rewards: Record<string, number[]> = {}
  if (trueReward) rewards.true = texts.map((text, i) => trueReward(i, text))
  for (const scorer of scorers) rewards[scorer.name] = await scorer.score(prompts, texts)
  return { ...system, texts, rewards }
}

/** The baseline's answers in the same decoding, else in its first. */
function baselineOf(
  { name, decoding }: ScoredSystem,
  all: readonly ScoredSystem[],
  baseline: string,
): ScoredSystem | undefined {
  if (name === baseline) return undefined
  const candidates = all.filter((system) => system.name === baseline)
  return candidates.find((system) => system.decoding === decoding) ?? candidates[0]
}

/** The most trusted scorer first. */
function judgementsOf(baseline: string, evaluations: readonly EvaluatedSystem[]): Judgement[] {
  const seen = new Set<string>()
  return evaluations.flatMap(({ system, evaluation: { total } }) => {
    if (system === baseline || seen.has(system)) return []
    seen.add(system)
    return byTrust(Object.keys(total.rewards)).flatMap((name) => {
      const { versusBaseline, lengthControlled } = total.rewards[name]
      if (!versusBaseline) return []
      return {
        system,
        baseline,
        who: whoIs(name),
        prompts: total.count,
        winRate: versusBaseline.winRate,
        ...(lengthControlled && { lengthControlled }),
      }
    })
  })
}

interface Lengths {
  scored: readonly ScoredSystem[]
  unit: 'tokens' | 'characters'
  sources: readonly string[]
  seed: number
}

const systemOf = (
  { system, decoding }: Pick<EvaluationRow, 'system' | 'decoding'>,
  scored: readonly ScoredSystem[],
) => scored.find((s) => s.name === system && s.decoding === decoding) as ScoredSystem

function lengthOf({ system, decoding, source }: EvaluationRow, all: Lengths): EvaluationRow['length'] {
  const { answers } = systemOf({ system, decoding }, all.scored)
  const indices = source === 'total' ? answers.keys() : (indicesBySource(all.sources).get(source) ?? [])
  const length = ({ tokens = 0, text }: AnsweredText) => (all.unit === 'tokens' ? tokens : characters(text))
  return bootstrapMean(
    Array.from(indices, (i) => length(answers[i])),
    { seed: all.seed },
  )
}

/** Of every system but the baseline, in its first decoding; the last one is what the report is about. */
function measuresOf(
  { baseline, systems: answeredSystems }: EvaluationInput,
  evaluations: readonly EvaluatedSystem[],
  rows: readonly EvaluationRow[],
): MeasuredSystems | undefined {
  const length = (name: string) =>
    rows.find(({ system, source }) => system === name && source === 'total')?.length
  const scorers = evaluations.map(({ evaluation }) => Object.keys(evaluation.total.rewards))
  const judge = bestRole((name) => scorers.every((own) => own.includes(name)))?.name
  const systems = new Map<string, Measures>()
  for (const { system, evaluation } of evaluations) {
    const own = length(system)
    if (system === baseline || systems.has(system) || !own) continue
    const { fromStart } = answeredSystems.find((s) => s.name === system && s.fromStart) ?? {}
    const measures = { ...measuresOfSystem(evaluation, judge ?? scorers[0][0]), ...fromStart }
    systems.set(system, withLength(measures, own, length(baseline)))
  }
  const subject = [...systems.keys()].at(-1)
  return subject === undefined ? undefined : { subject, baseline, systems: Object.fromEntries(systems) }
}

/** Each later system minus each earlier one of the same decoding, by the best judge there is. */
function pairedDifferences(
  scored: readonly ScoredSystem[],
  seed: number,
): NonNullable<EvaluationReport['differences']> {
  const role = bestRole((name) => scored.every(({ rewards }) => rewards[name]))
  if (!role) return []
  const label = labels(scored)
  return scored.flatMap((a, i) =>
    scored
      .slice(0, i)
      .filter((b) => b.decoding === a.decoding)
      .map((b) => {
        const { difference } = compare(a.rewards[role.name], b.rewards[role.name], { seed })
        return { a: label(a), b: label(b), metric: role.metric, difference }
      }),
  )
}

/** A system's name, with its decoding where there are several. */
function labels(scored: readonly ScoredSystem[]): (system: ScoredSystem) => string {
  const several = new Set(scored.map(({ decoding }) => decoding)).size > 1
  return ({ name, decoding }) => (several ? `${name} (${decoding})` : name)
}

function samplesOf(scored: readonly ScoredSystem[], { prompts, sources }: EvaluationInput): SampleReport[] {
  const label = labels(scored)
  return prompts.map((prompt, i) => ({
    prompt: promptText(prompt),
    source: sources[i],
    answers: scored.map((system) => ({
      system: label(system),
      text: system.texts[i],
      rewards: Object.fromEntries(Object.entries(system.rewards).map(([name, values]) => [name, values[i]])),
    })),
  }))
}
