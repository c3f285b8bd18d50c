/** The last station: every system answers the same unseen prompts; training's scorer and one it never saw judge. */
import type { Example } from '../../data/example.js'
import { evaluationSet } from '../../evaluate/evaluation-set.js'
import { type LanguageModel, loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { trainedScoringModel } from '../../load/scoring-model.js'
import type { Session } from '../../session/session.js'
import { lazyScorers } from '../../stations/judge/eval-models.js'
import {
  type AnsweredSystem,
  answerPrompts,
  type Evaluation,
  evaluateSystems,
  meanScorer,
  modelScorer,
  type Scorer,
} from '../../stations/judge/evaluation.js'
import type { Aligned } from './align-stations.js'

export interface AlignEvaluation {
  test: readonly Example[]
  /** Temperatures to answer at; 0 is greedy. */
  temperatures: readonly number[]
  trueReward?(example: Example['prompt'], answer: string): number
}

const decodingName = (temperature: number) => (temperature === 0 ? 'greedy' : `sampled, T ${temperature}`)

export async function evaluateAligned(
  session: Session,
  lm: LanguageModel,
  aligned: Aligned,
  input: AlignEvaluation,
): Promise<Evaluation> {
  const { options, dtype } = session
  const set = evaluationSet(input.test, options.evalPrompts, options.seed)
  const named = [
    ['start', aligned.start],
    ['sft', aligned.sft],
    ...aligned.rounds.map((folder, i) => [`round ${i + 1}`, folder] as const),
    ['clha', aligned.clha],
  ] as const
  const systems: AnsweredSystem[] = []
  for (const [name, folder] of named) {
    if (folder === undefined) continue
    const system = await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'all'))
    for (const temperature of input.temperatures) {
      const label = input.temperatures.length > 1 ? `${name}, ${decodingName(temperature)}` : name
      const answers = await answerPrompts(session, system, set.prompts, { label, temperature })
      systems.push({ name, decoding: decodingName(temperature), answers })
    }
    system.model.dispose()
  }
  return evaluateSystems(session, {
    ...set,
    systems,
    scorers: scorersOf(session, lm, aligned),
    baseline: 'start',
    trueReward: input.trueReward && ((i, text) => input.trueReward!(set.prompts[i], text)),
  })
}

/** Reward models trained on the way share the policy's tokenizer; outside ones bring their own. */
export function scorersOf(
  session: Session,
  lm: LanguageModel,
  { scorers, second, temperatures }: Pick<Aligned, 'scorers' | 'second' | 'temperatures'>,
): Scorer[] {
  if (scorers.length === 0) return lazyScorers(session)
  const own = scorers.map(({ model, fold }) =>
    modelScorer(session, `reward, fold ${fold}`, trainedScoringModel({ ...lm, model })),
  )
  const judge = second && modelScorer(session, 'second', trainedScoringModel({ ...lm, model: second.model }))
  return [meanScorer('reward', own, temperatures), ...(judge ? [judge] : [])]
}
