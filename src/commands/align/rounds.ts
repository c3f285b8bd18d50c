/** Rounds: the policy answers the training prompts, its answers are scored and ranked beside the given ones, and it trains on. */
import type { Example } from '../../data/example.js'
import { type LanguageModel, loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Session } from '../../session/session.js'
import { count, figure } from '../../show/units.js'
import { stageDir } from '../../stations/fit/fit.js'
import { rescoreData, writeRescored } from '../../stations/rank/rescoring.js'
import { joinAnswers } from '../../stations/sample/join-answers.js'
import { sampleLocally } from '../../stations/sample/sample-answers.js'
import { scoreAnswers } from '../../stations/sample/sampled-candidates.js'
import type { FoldModel } from '../../stations/score/reward-models.js'
import type { ScoredData } from '../../stations/score/scoring.js'
import { mean } from '../../statistics/statistics.js'

export interface RoundsInput {
  /** The model whose tokens the cross-fitted scorers read. */
  lm: LanguageModel
  examples: readonly Example[]
  /** None where an outside scorer scores. */
  scorers: readonly FoldModel[]
  truth?(list: RankedList): readonly boolean[]
  /** Runs a station. */
  at<T>(title: string, run: () => Promise<T>): Promise<T>
  /** Trains the policy of a folder further. @returns the folder of what came out */
  train(round: number, folder: string, lists: readonly RankedList[]): Promise<string>
}

/**
 * Rounds 2 to `rounds`; the first one was aligned on the given answers.
 * @param first folder of its policy
 * @returns the policies of all rounds
 */
export async function furtherRounds(session: Session, first: string, input: RoundsInput): Promise<string[]> {
  const policies = [first]
  for (let round = 2; round <= session.options.rounds; round++) {
    const policy = policies[policies.length - 1]
    const lists = await input.at(`round ${round}: sample and rescore`, () =>
      roundLists(session, round, policy, input),
    )
    policies.push(await input.at(`round ${round}: align (clha)`, () => input.train(round, policy, lists)))
  }
  return policies
}

async function roundLists(
  session: Session,
  round: number,
  policy: string,
  { lm, examples, scorers, truth }: RoundsInput,
): Promise<RankedList[]> {
  const { roundSamples, roundTemperature, seed, chatTemplate } = session.options
  const dir = stageDir(session, `round-${round}`)
  const model = await loadLanguageModel(
    policy,
    session.dtype,
    chatTemplate,
    quantizedOf(session.options, 'all'),
  )
  try {
    const sampling = { count: roundSamples, temperature: roundTemperature, seed: seed + round, dir }
    const name = `policy of round ${round - 1}`
    const sampled = await sampleLocally(session, model, policy, examples, { ...sampling, name })
    const joined = joinAnswers(examples, sampled.answers)
    const scored = await scoreAnswers(session, lm, joined.examples, scorers)
    const rescored = rescoreData(session, scored, truth)
    sayRound(session, scored, name)
    await writeRescored(session, rescored, dir)
    return rescored.lists
  } finally {
    model.model.dispose()
  }
}

/** How the policy's answers compare with the given ones, by the training's own scorers. */
function sayRound({ ui }: Session, { examples, rewards }: ScoredData, name: string): void {
  const of = (isNew: boolean) =>
    examples.flatMap(({ candidates }, i) =>
      candidates.flatMap(({ origin }, k) =>
        (origin?.startsWith(name) ?? false) === isNew ? [rewards[i][k]] : [],
      ),
    )
  const [fresh, given] = [of(true), of(false)]
  if (fresh.length === 0) ui.warn('the policy gave no answer that the data lacks', 'raise round_temperature')
  else
    ui.line(
      `${count(fresh.length)} answers of the policy, mean reward ${figure(mean(fresh))}; of the given ones ${figure(mean(given))}`,
    )
}
