/** The last station: every system answers the same unseen prompts; training's scorer and one it never saw judge. */
import type { Example } from '../../data/example.js'
import { evaluationSet } from '../../evaluate/evaluation-set.js'
import { loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { trainedScoringModel } from '../../load/scoring-model.js'
import type { Rescored } from '../../rescore/rescore.js'
import type { Session } from '../../session/session.js'
import { type Answer, answerPrompts } from '../../stations/answer/answer.js'
import { answerLogProbs, isDrawn, measuresFromStart } from '../../stations/answer/answer-likelihood.js'
import { lazyScorers } from '../../stations/evaluate/eval-models.js'
import {
  type AnsweredSystem,
  answered,
  decodingName,
  type Evaluation,
  evaluateSystems,
} from '../../stations/evaluate/evaluation.js'
import { meanScorer, modelScorer, type Scorer } from '../../stations/evaluate/scorers.js'
import type { FoldModel } from '../../stations/score/fold-model.js'
import { type AlignData, type Aligned, type Alignment, station } from './alignment.js'

export interface Judging {
  /** What it is evaluated on, in words. */
  on?: string
  /** Temperatures to answer at; 0 is greedy. */
  temperatures: readonly number[]
  trueReward?(prompt: Example['prompt'], answer: string): number
}

/** @returns undefined, and says so, where no prompt was held out */
export async function evaluateStation(
  a: Alignment,
  { test }: AlignData,
  aligned: Aligned,
  judging: Judging,
): Promise<Evaluation | undefined> {
  if (test.length > 0)
    return station(a, 'evaluate', () => evaluateAligned(a, test, aligned, judging), judging.on)
  a.session.ui.warn(
    'nothing was held out, so nothing is evaluated',
    'set test_fraction, or give an eval_dataset',
  )
  return undefined
}

async function evaluateAligned(
  a: Alignment,
  test: readonly Example[],
  aligned: Aligned,
  { temperatures, trueReward }: Judging,
): Promise<Evaluation> {
  const { session } = a
  const { evalPrompts, seed } = session.options
  const set = evaluationSet(test, evalPrompts, seed)
  const here: AnsweredHere[] = []
  for (const [name, folder] of systemsOf(aligned))
    here.push(...(await answersOf(session, set.prompts, temperatures, { name, folder })))
  const systems = await withDistance(session, aligned.start, set.prompts, here)
  return evaluateSystems(session, {
    ...set,
    systems,
    scorers: scorersOf(a, aligned, temperaturesOf(aligned.scorers, aligned.rescored)),
    baseline: 'start',
    trueReward: trueReward && ((i, text) => trueReward(set.prompts[i], text)),
  })
}

/** Every model by the name that the report calls it. */
const systemsOf = ({ start, sft, rounds, clha }: Aligned): [name: string, folder: string][] => [
  ['start', start],
  ...(sft === undefined ? [] : [['sft', sft] as [string, string]]),
  ...rounds.map((folder, i): [string, string] => [`round ${i + 1}`, folder]),
  ['clha', clha],
]

/** Answers with their tokens, and where they were drawn from the whole distribution how likely each one was. */
interface AnsweredHere {
  system: AnsweredSystem
  answers: readonly Answer[]
  own?: readonly number[]
}

async function answersOf(
  session: Session,
  prompts: readonly Example['prompt'][],
  temperatures: readonly number[],
  { name, folder }: { name: string; folder: string },
): Promise<AnsweredHere[]> {
  const { options, dtype } = session
  const lm = await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'all'))
  const out: AnsweredHere[] = []
  try {
    for (const temperature of temperatures) {
      const decoding = decodingName(temperature)
      const label = temperatures.length > 1 ? `${name}, ${decoding}` : name
      const answers = await answerPrompts(session, lm, prompts, { label, temperature })
      const drawn = isDrawn({ ...options, temperature })
      const own = drawn ? await answerLogProbs(options, lm, prompts, answers) : undefined
      out.push({ system: { name, decoding, answers: answered(answers) }, answers, own })
    }
    return out
  } finally {
    lm.model.dispose()
  }
}

/** How far every system is from the start, by the answers that it drew. */
async function withDistance(
  { options, dtype }: Session,
  startFolder: string,
  prompts: readonly Example['prompt'][],
  all: readonly AnsweredHere[],
): Promise<AnsweredSystem[]> {
  const [first] = all
  const isFar = ({ system, own }: AnsweredHere) => own !== undefined && system.name !== first.system.name
  if (!all.some(isFar)) return all.map(({ system }) => system)
  const lm = await loadLanguageModel(startFolder, dtype, options.chatTemplate, quantizedOf(options, 'all'))
  const systems: AnsweredSystem[] = []
  try {
    for (const each of all) {
      const { system, answers, own } = each
      if (!own || !isFar(each)) {
        systems.push(system)
        continue
      }
      const start = await answerLogProbs(options, lm, prompts, answers)
      const fromStart = measuresFromStart({ own, start, answers, drawn: true, seed: options.seed })
      systems.push({ ...system, fromStart })
    }
    return systems
  } finally {
    lm.model.dispose()
  }
}

/** Unit T of each scorer's rewards, as its calibration found it. */
export const temperaturesOf = (
  scorers: readonly FoldModel[],
  { calibrations }: Pick<Rescored, 'calibrations'>,
): number[] => scorers.map(({ fold }) => calibrations.find((c) => c.fold === fold)?.temperature ?? 1)

/** Reward models trained on the way share the policy's tokenizer; outside ones bring their own. */
export function scorersOf(
  { session, lm }: Pick<Alignment, 'session' | 'lm'>,
  { scorers, second }: Pick<Aligned, 'scorers' | 'second'>,
  temperatures: readonly number[],
): Scorer[] {
  if (scorers.length === 0) return lazyScorers(session)
  const own = scorers.map(({ model, fold }) =>
    modelScorer(session, `reward, fold ${fold}`, trainedScoringModel({ ...lm, model })),
  )
  const judge = second && modelScorer(session, 'second', trainedScoringModel({ ...lm, model: second.model }))
  return [meanScorer('reward', own, temperatures), ...(judge ? [judge] : []), ...lazyScorers(session, true)]
}
