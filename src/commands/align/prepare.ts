/** What every way to align has in common: SFT start, reward models, rewards. */
import { corpusOf, type EncodedCorpus, type ScoredCorpus, where } from '../../data/corpus.js'
import { type Example, isLabelled } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { requireCalibratable } from '../../rescore/rescore.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { required } from '../../session/needs.js'
import type { Session } from '../../session/session.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount } from '../../show/units.js'
import { stageDir } from '../../stations/fit/fit.js'
import { trainSft } from '../../stations/fit/policy.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { accuracyText, type FoldModel } from '../../stations/score/fold-model.js'
import { keptScores } from '../../stations/score/kept-scores.js'
import { labelAccuracy, requireFolds, trainRewardModels } from '../../stations/score/reward-models.js'
import { crossFittedScores, hasOutsideScorer } from '../../stations/score/scoring.js'
import type { AlignData, Aligned, Alignment } from './alignment.js'
import { remember, station } from './alignment.js'

/** Everything before the alignment itself. */
export interface Prepared extends Pick<Aligned, 'start' | 'scorers' | 'second'> {
  /** The training data in the start model's tokens, with rewards by the training's scorers. */
  scored: ScoredCorpus
}

/** The data is tokenised here, once for all that follows. */
export async function prepareStations(a: Alignment, data: AlignData): Promise<Prepared> {
  const { session, lm } = a
  const { options } = session
  const corpus = await encodeCorpus(session, lm, corpusOf(data.train), 2)
  const outside = hasOutsideScorer(options)
  requireEnough(session, corpus.examples, outside, !outside && !data.scoredByTruth)
  // A model that learned the chosen answers knows the labels: reward models that began there would grade what they were told.
  const startIsBlind = data.demonstrations !== undefined
  const blindStart = startIsBlind ? await startStation(a, data, corpus) : undefined
  if (!outside && !startIsBlind && options.modelNameOrPath === undefined) sayRandomStart(session)
  const { scorers, second } = outside ? NO_SCORERS : await rewardStation(a, data, corpus, blindStart)
  const start = blindStart ?? (await startStation(a, data, corpus))
  const scored = outside
    ? await keptScores(session, corpus)
    : await crossFittedScores(session, scorers, corpus)
  return { start, scorers, second, scored }
}

/**
 * Labels that are too few are known before the first training.
 * @param second whether a reward model of its own judges
 * @throws ClhaError (exit 2)
 */
function requireEnough(
  { options }: Session,
  examples: readonly Example[],
  outside: boolean,
  second: boolean,
): void {
  const { folds, seed } = options
  const several = !outside && folds > 1
  if (several) requireFolds(examples, options)
  requireCalibratable(examples, rescoreOptions(options), ({ prompt }) =>
    several ? foldOf(prompt, seed, folds) : 0,
  )
  if (second && !examples.some((example) => isForSecond(options, example) && isLabelled(example))) {
    throw usageError(
      `${amount(examples.length, 'list')}: none of them is left for the reward model that judges`,
      'give more prompts with preferences, or a reward_model',
    )
  }
}

const NO_SCORERS: RewardModels = { scorers: [] }

const sayRandomStart = ({ ui }: Pick<Session, 'ui'>): void =>
  ui.warn(
    'the reward models start from random weights, for the SFT start would tell them the labels',
    'give demonstrations of their own as sft_dataset, or a trained model as model_name_or_path',
  )

/** The start model becomes the SFT model in place; without an SFT start it is the model that the config names. */
async function startStation(a: Alignment, data: AlignData, corpus: EncodedCorpus): Promise<string> {
  const { session, lm } = a
  const { options } = session
  if (options.sftNumTrainEpochs === 0) return required(options, 'modelNameOrPath')
  return station(a, 'start', async () => {
    const own = data.demonstrations && corpusOf(data.demonstrations)
    const { dir, files } = data.sharedStart ?? { dir: stageDir(options, 'start'), files: data.files }
    const run = await trainSft(session, lm, own ? await encodeCorpus(session, lm, own, 1) : corpus, {
      kind: 'start',
      dir,
      files,
      learningRate: options.sftLearningRate,
      epochs: options.sftNumTrainEpochs,
      stage: true,
    })
    return remember(a, 'start', run)
  })
}

type RewardModels = Pick<Aligned, 'scorers' | 'second'>

/** Cross-fitted reward models that score the data, and one on half of the prompts that judges at the end. */
const rewardStation = (
  a: Alignment,
  data: AlignData,
  corpus: EncodedCorpus,
  sftStart?: string,
): Promise<RewardModels> =>
  station(a, 'reward model', async () => {
    const { session } = a
    // An adapter leaves the model that the config names as it is, and reward models begin there.
    const base = session.options.usePeft ? undefined : sftStart
    const scorers = await trainScorers(a, data.files, corpus, base)
    throwIfStopped(session)
    const second = data.scoredByTruth ? undefined : await trainSecond(a, data, corpus, base)
    for (const { fold, accuracy, run } of scorers) {
      if (run) remember(a, `reward model, fold ${fold}`, run)
      if (accuracy) session.ui.line(`fold ${fold}: right on ${accuracyText(accuracy)}`)
    }
    return { scorers, second }
  })

async function trainScorers(
  a: Alignment,
  data: DataFile[],
  corpus: EncodedCorpus,
  base?: string,
): Promise<FoldModel[]> {
  const { session, lm, rewardModels } = a
  const { folds, seed } = session.options
  const scorers = await trainRewardModels(session, lm, corpus, {
    folds,
    seed,
    data,
    base,
    stage: true,
    dir: (fold) => stageDir(session.options, `reward-fold-${fold}`),
    label: (fold) => `reward model, fold ${fold}`,
  })
  rewardModels.push(...scorers)
  return scorers
}

async function trainSecond(
  a: Alignment,
  data: AlignData,
  corpus: EncodedCorpus,
  base?: string,
): Promise<FoldModel> {
  const { session, lm, rewardModels } = a
  const { options } = session
  const isSeen = (example: Example) => isForSecond(options, example)
  const labelled = data.secondTrain ? await encodeCorpus(session, lm, corpusOf(data.secondTrain), 2) : corpus
  const [second] = await trainRewardModels(session, lm, where(labelled, isSeen), {
    folds: 1,
    seed: options.seed + 1000,
    data: data.files,
    base,
    stage: true,
    dir: () => stageDir(options, 'reward-second'),
    label: () => 'second reward model, to judge',
  })
  rewardModels.push(second)
  const unseen = where(corpus, (example) => !isSeen(example))
  return { ...second, accuracy: await labelAccuracy(session, second.model, unseen) }
}

/** Half of the prompts by a hash of its own: the judge shares neither its prompts nor its seed with one scorer. */
const isForSecond = ({ seed }: Pick<Session['options'], 'seed'>, { prompt }: Example): boolean =>
  foldOf(prompt, seed + 1000, 2) === 0
