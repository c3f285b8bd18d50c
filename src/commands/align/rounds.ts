/** Rounds: the policy learns the ranked lists, answers the training prompts, its answers are ranked beside the given ones, and it trains on. */
import { corpusOf, type ScoredCorpus } from '../../data/corpus.js'
import { loadLanguageModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { loadTrainable } from '../../load/trainable.js'
import type { Rescored } from '../../rescore/rescore.js'
import type { Session } from '../../session/session.js'
import { amount, figure } from '../../show/units.js'
import { stageDir } from '../../stations/fit/fit.js'
import { type PolicyTraining, trainPolicy, trainSft } from '../../stations/fit/policy.js'
import type { RankedCorpus } from '../../stations/rank/ranked-data.js'
import * as rescoring from '../../stations/rank/rescoring.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { joinAnswers } from '../../stations/sample/join-answers.js'
import { sampleLocally } from '../../stations/sample/sample-answers.js'
import { scoreAnswers } from '../../stations/sample/sampled-candidates.js'
import { mean } from '../../statistics/statistics.js'
import { type AlignData, type Aligned, type Alignment, remember, station } from './alignment.js'
import type { Prepared } from './prepare.js'

/** Ranks the given answers; writes the lists and their audit. */
export const rescoreStation = (a: Alignment, { truth }: AlignData, { scored }: Prepared): Promise<Rescored> =>
  station(a, 'rescore', () => rescoring.rescoreStation(a.session, scored, truth))

/** What came out: the last round's policy, and those before it. */
export const alignedOf = (
  { start, scorers, second }: Prepared,
  rescored: Rescored,
  policies: readonly string[],
  sft?: string,
): Aligned => ({
  start,
  sft,
  scorers,
  second,
  rescored,
  clha: policies[policies.length - 1],
  rounds: policies.slice(0, -1),
})

/**
 * Aligns on the given answers, then on those of each round's policy.
 * @returns the policies of all rounds
 */
export async function policyStations(
  a: Alignment,
  data: AlignData,
  { start, scorers, scored }: Prepared,
  { lists }: Rescored,
): Promise<string[]> {
  const { rounds } = a.session.options
  const policies = [
    await station(a, 'align (clha)', () => clhaRun(a, data, { ...scored, lists }, { round: 1, from: start })),
  ]
  for (let round = 2; round <= rounds; round++) {
    const from = policies[policies.length - 1]
    const ranked = await station(a, `round ${round}: sample and rescore`, () =>
      rankRound(a, data, { start, scorers, scored }, { round, from }),
    )
    policies.push(
      await station(a, `round ${round}: align (clha)`, () => clhaRun(a, data, ranked, { round, from })),
    )
  }
  return policies
}

/** SFT on the chosen answers, from the same start. @returns the folder of its model */
export const compareStation = (a: Alignment, { files }: AlignData, { start, scored }: Prepared) =>
  station(a, 'sft (to compare)', async () => {
    const { session } = a
    const lm = await loadTrainable(session, start)
    try {
      const corpus = await encodeCorpus(session, lm, scored, 2)
      const training = fromStart(session.options, 'sft', stageDir(session.options, 'sft'))
      return remember(a, 'sft', await trainSft(session, lm, corpus, { ...training, files }))
    } finally {
      lm.model.dispose()
    }
  })

/** What all ways from the start have in common. */
function fromStart(
  { learningRate, numTrainEpochs: epochs, maxSteps }: Session['options'],
  kind: string,
  dir: string,
): Omit<PolicyTraining, 'files'> {
  return { kind, dir, learningRate, epochs, maxSteps, stage: true }
}

/** A round, and the folder of the policy that it starts from. */
interface Round {
  round: number
  from: string
}

/** Trains a model read anew, and frees it: what came out lies in its checkpoint. */
async function clhaRun(
  a: Alignment,
  { files, train: held }: AlignData,
  corpus: RankedCorpus,
  { round, from }: Round,
): Promise<string> {
  const { session } = a
  const { options } = session
  const dir = stageDir(options, round > 1 ? `round-${round}` : 'clha')
  const lm = await loadTrainable(session, from)
  try {
    const training = { ...fromStart(options, 'clha', dir), files, watch: { held, dir, start: from } }
    const run = await trainPolicy(session, lm, corpus, training)
    return remember(a, options.rounds > 1 ? `clha round ${round}` : 'clha', run)
  } finally {
    lm.model.dispose()
  }
}

/** The policy's answers to the training prompts, ranked beside the given ones by the training's own scorers. */
async function rankRound(
  { session, lm }: Alignment,
  { truth }: AlignData,
  { scored: given, scorers }: Prepared,
  { round, from }: Round,
): Promise<RankedCorpus> {
  const { options, dtype } = session
  const dir = stageDir(options, `round-${round}`)
  const policy = await loadLanguageModel(from, dtype, options.chatTemplate, quantizedOf(options, 'all'))
  try {
    const sampled = await sampleLocally(session, policy, from, given.examples, {
      count: options.roundSamples,
      temperature: options.roundTemperature,
      seed: options.seed + round,
      dir,
      name: nameOf(round - 1),
    })
    const joined = joinAnswers(given.examples, sampled.answers)
    const scored = await scoreAnswers(session, lm, corpusOf(joined.examples), scorers)
    const rescored = rescoring.rescoreData(session, scored, truth)
    sayRound(session, scored, nameOf(round - 1))
    await rescoring.writeRescored(rescored, dir)
    return { ...scored, lists: rescored.lists }
  } finally {
    policy.model.dispose()
  }
}

const nameOf = (round: number): string => `policy of round ${round}`

/** How the policy's answers compare with the given ones, by the training's own scorers. */
function sayRound({ ui }: Pick<Session, 'ui'>, { examples, rewards }: ScoredCorpus, name: string): void {
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
      `${amount(fresh.length, 'answer')} of the policy, mean reward ${figure(mean(fresh))}; of the given ones ${figure(mean(given))}`,
    )
}
