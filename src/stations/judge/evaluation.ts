/** Names of the scorers in the columns of the report. */
import type { Prompt } from '../../dialogue.js'
import { promptText } from '../../dialogue.js'
import { compare, indicesBySource } from '../../evaluate/compare.js'
import { evaluateSystem } from '../../evaluate/system-summary.js'
import { type EvaluatedSystem, evaluationReport } from '../../report/evaluation-rows.js'
import type { EvaluationReport, EvaluationRow, SampleReport } from '../../report/types.js'
import type { Needs } from '../../session/needs.js'
import { bootstrapMean } from '../../statistics/intervals.js'
import type { Answer } from './answer.js'
import type { Scorer } from './scorers.js'

export { type Answer, type AnswerOptions, answerPrompts } from './answer.js'
export { meanScorer, modelScorer, type Scorer } from './scorers.js'

export interface AnsweredSystem {
  name: string
  /** Such as `greedy`. */
  decoding: string
  answers: readonly Answer[]
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
}

const COLUMNS = { trueReward: 'true', reward: 'reward', secondReward: 'second' } as const

interface Judged extends AnsweredSystem {
  texts: string[]
  rewards: Record<string, number[]>
}

/** Scores all systems and compares them prompt by prompt. Lengths are in tokens. */
export async function evaluateSystems(
  { options }: Needs<'seed'>,
  input: EvaluationInput,
): Promise<Evaluation> {
  const judged: Judged[] = []
  for (const system of input.systems) judged.push(await judge(system, input))
  const bootstrap = { seed: options.seed }
  const evaluations = judged.map((system) => {
    const { name, decoding, texts, rewards, answers } = system
    const evaluation = evaluateSystem({
      sources: input.sources,
      answers: texts,
      rewards,
      references: input.references,
      baseline: baselineOf(system, judged, input.baseline)?.rewards,
      truncated: answers.map(({ finishReason }) => finishReason === 'length'),
      options: bootstrap,
    })
    return { system: name, decoding, evaluation }
  })
  const report = evaluationReport(input.baseline, evaluations, COLUMNS)
  const rows = report.rows.map((row) => ({
    ...row,
    length: tokenLength(row, judged, input.sources, options.seed),
  }))
  const differences = pairedDifferences(judged, options.seed)
  return {
    report: { ...report, lengthUnit: 'tokens', rows, ...(differences.length > 0 && { differences }) },
    samples: samplesOf(judged, input),
    evaluations,
  }
}

async function judge(
  system: AnsweredSystem,
  { prompts, scorers, trueReward }: EvaluationInput,
): Promise<Judged> {
  const texts = system.answers.map(({ text }) => text)
  const rewards: Record<string, number[]> = {}
  if (trueReward) rewards.true = texts.map((text, i) => trueReward(i, text))
  for (const scorer of scorers) rewards[scorer.name] = await scorer.score(prompts, texts)
  return { ...system, texts, rewards }
}

/** The baseline's answers in the same decoding, else in its first. */
function baselineOf(
  { name, decoding }: Judged,
  all: readonly Judged[],
  baseline: string,
): Judged | undefined {
  if (name === baseline) return undefined
  const candidates = all.filter((system) => system.name === baseline)
  return candidates.find((system) => system.decoding === decoding) ?? candidates[0]
}

function tokenLength(
  { system, decoding, source }: EvaluationRow,
  judged: readonly Judged[],
  sources: readonly string[],
  seed: number,
): EvaluationRow['length'] {
  const { answers } = judged.find((s) => s.name === system && s.decoding === decoding) as Judged
  const indices = source === 'total' ? answers.keys() : (indicesBySource(sources).get(source) ?? [])
  return bootstrapMean(
    Array.from(indices, (i) => answers[i].ids.length),
    { seed },
  )
}

const METRICS = [
  ['true', 'true reward'],
  ['second', 'second reward'],
  ['reward', 'training reward'],
] as const

/** Each later system minus each earlier one of the same decoding, by the best judge there is. */
function pairedDifferences(
  judged: readonly Judged[],
  seed: number,
): NonNullable<EvaluationReport['differences']> {
  const [scorer, metric] = METRICS.find(([name]) => judged.every(({ rewards }) => rewards[name])) ?? []
  if (!scorer || !metric) return []
  const label = labels(judged)
  return judged.flatMap((a, i) =>
    judged
      .slice(0, i)
      .filter((b) => b.decoding === a.decoding)
      .map((b) => {
        const { difference } = compare(a.rewards[scorer], b.rewards[scorer], { seed })
        return { a: label(a), b: label(b), metric, difference }
      }),
  )
}

/** A system's name, with its decoding where there are several. */
function labels(judged: readonly Judged[]): (system: Judged) => string {
  const several = new Set(judged.map(({ decoding }) => decoding)).size > 1
  return ({ name, decoding }) => (several ? `${name} (${decoding})` : name)
}

function samplesOf(judged: readonly Judged[], { prompts, sources }: EvaluationInput): SampleReport[] {
  const label = labels(judged)
  return prompts.map((prompt, i) => ({
    prompt: promptText(prompt),
    source: sources[i],
    answers: judged.map((system) => ({
      system: label(system),
      text: system.texts[i],
      rewards: Object.fromEntries(Object.entries(system.rewards).map(([name, values]) => [name, values[i]])),
    })),
  }))
}
