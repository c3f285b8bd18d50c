/** The stations of an alignment, from a start model and split examples to systems ready to be compared. */
import type { Example } from '../../data/example.js'
import { foldOf } from '../../data/split.js'
import type { LanguageModel } from '../../load/language-model.js'
import { loadTrainable } from '../../load/trainable.js'
import { sftItems } from '../../methods/items.js'
import { parameterCount } from '../../models/decoder/decoder.js'
import type { DecoderConfig } from '../../models/decoder/decoder-config.js'
import type { StationReport } from '../../report/types.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Rescored } from '../../rescore/rescore.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { Stopped } from '../../session/stopped.js'
import { duration } from '../../show/units.js'
import { stageDir } from '../../stations/fit/fit.js'
import { fitPolicy, fitSft, type PolicyFit, rankedHash } from '../../stations/fit/policy.js'
import { generationHook } from '../../stations/fit/watch.js'
import { scores } from '../../stations/rank/ranked-data.js'
import { rescoreStation } from '../../stations/rank/rescoring.js'
import { encodeData } from '../../stations/read/load-data.js'
import {
  type FoldModel,
  labelAccuracy,
  select,
  trainRewardModels,
} from '../../stations/score/reward-models.js'
import { crossFittedScores, hasOutsideScorer, type ScoredData } from '../../stations/score/scoring.js'
import type { TrainingResult } from '../../train/loop/run.js'
import { accuracyText } from '../reward-train/reward-train.js'
import { itemsOf } from '../train/train.js'
import { furtherRounds } from './rounds.js'

export interface AlignInput {
  train: Example[]
  files: DataFile[]
  /** Answers to learn from before the alignment; the chosen answers of `train` when left out. */
  demonstrations?: Example[]
  /** Which labels are really reversed, where that is known. */
  truth?: (list: RankedList) => readonly boolean[]
  /** Also train SFT on the chosen answers, from the same start, to compare with. */
  compareSft: boolean
}

export interface Aligned {
  /** The model that the alignment began with, after the SFT start. */
  start: string
  sft?: string
  clha: string
  /** Policies of the rounds before the last, whose policy is `clha`. */
  rounds: string[]
  /** Cross-fitted reward models that scored the training data; none when an outside scorer did. */
  scorers: FoldModel[]
  /** Trained on other prompts with another seed; it scored nothing before the evaluation. */
  second?: FoldModel
  rescored: Rescored
  /** Unit T of each scorer's rewards. */
  temperatures: number[]
  curves: { name: string; run: TrainingResult }[]
  stations: StationReport[]
  parameters: number
  shape: DecoderConfig
  /** Frees the reward models. */
  dispose(): void
}

/** Runs a station; says how long it took. */
export async function station<T>(
  session: Session,
  stations: StationReport[],
  title: string,
  run: () => Promise<T>,
): Promise<T> {
  if (session.stopRequested()) throw new Stopped()
  session.ui.station(`${stations.length + 1} ${title}`)
  const started = performance.now()
  const result = await run()
  const seconds = (performance.now() - started) / 1000
  stations.push({ name: title, seconds, detail: duration(seconds) })
  if (session.stopRequested()) throw new Stopped()
  return result
}

/** Everything before the alignment itself. */
export interface Prepared extends Pick<Aligned, 'start' | 'scorers' | 'second'> {
  /** Rewards of the training data by the training's scorers. */
  scored: ScoredData
  parameters: number
}

/** Remembers a training's curve under a name, and gives its model's folder. */
type Remember = (name: string, run: TrainingResult) => string

/** SFT start, reward models and rewards: what every way to align has in common. */
export async function prepareStations(
  session: Session,
  lm: LanguageModel,
  input: AlignInput,
  stations: StationReport[],
  remember: Remember,
): Promise<Prepared> {
  const { options } = session
  const at = <T>(title: string, run: () => Promise<T>) => station(session, stations, title, run)
  const parameters = parameterCount(lm.model)
  const makeStart = async () =>
    options.sftNumTrainEpochs > 0
      ? at('start', async () => remember('start', await sftStart(session, lm, input)))
      : (options.modelNameOrPath as string)
  const data = await encodeData(session, lm, input.train, 2)
  const outside = hasOutsideScorer(session)
  // A model that learned the chosen answers knows the labels: reward models that began there would grade what they were told.
  const startIsBlind = input.demonstrations !== undefined
  const blindStart = startIsBlind ? await makeStart() : undefined
  if (!outside && !startIsBlind && options.modelNameOrPath === undefined) sayRandomStart(session)
  const { scorers, second } = outside
    ? { scorers: [], second: undefined }
    : await at('reward model', async () => trainScorers(session, lm, data, input, remember))
  const start = blindStart ?? (await makeStart())
  const scored = outside
    ? await scores(session, data.examples)
    : await crossFittedScores(session, scorers, data)
  return { start, scorers, second, scored, parameters }
}

export async function alignStations(
  session: Session,
  lm: LanguageModel,
  input: AlignInput,
  stations: StationReport[],
): Promise<Aligned> {
  const curves: Aligned['curves'] = []
  const at = <T>(title: string, run: () => Promise<T>) => station(session, stations, title, run)
  const remember: Remember = (name, run) => {
    curves.push({ name, run })
    return run.model
  }
  const { start, scorers, second, scored, parameters } = await prepareStations(
    session,
    lm,
    input,
    stations,
    remember,
  )
  const rescored = await at('rescore', async () => rescoreStation(session, scored, input.truth))
  const sft = input.compareSft
    ? await at('sft, to compare', async () =>
        remember('sft', await sftBaseline(session, start, scored.examples, input)),
      )
    : undefined
  const train = async (round: number, folder: string, lists: readonly RankedList[]) => {
    const name = session.options.rounds > 1 ? `clha round ${round}` : 'clha'
    return remember(name, await clhaRun(session, folder, lists, { ...input, round }))
  }
  const first = await at('align (clha)', () => train(1, start, rescored.lists))
  const { examples } = scored
  const { truth } = input
  const policies = await furtherRounds(session, first, { lm, examples, scorers, truth, at, train })
  return {
    start,
    sft,
    clha: policies[policies.length - 1],
    rounds: policies.slice(0, -1),
    scorers,
    second,
    rescored,
    temperatures: temperaturesOf(scorers, rescored),
    curves,
    stations,
    parameters,
    shape: lm.model.config,
    dispose: () => disposeScorers({ scorers, second }),
  }
}

/** Unit T of each scorer's rewards, as its calibration found it. */
export const temperaturesOf = (scorers: readonly FoldModel[], { calibrations }: Rescored): number[] =>
  scorers.map(({ fold }) => calibrations.find((c) => c.fold === fold)?.temperature ?? 1)

export function disposeScorers({ scorers, second }: Pick<Prepared, 'scorers' | 'second'>): void {
  for (const { model } of [...scorers, ...(second ? [second] : [])]) model.dispose()
}

const sayRandomStart = ({ ui }: Session): void =>
  ui.warn(
    'the reward models start from random weights, for the SFT start would tell them the labels',
    'give demonstrations of their own as sft_dataset, or a trained model as model_name_or_path',
  )

/** The start model becomes the SFT model in place. */
async function sftStart(session: Session, lm: LanguageModel, input: AlignInput): Promise<TrainingResult> {
  const { options } = session
  const data = await encodeData(session, lm, input.demonstrations ?? input.train, 1)
  return fitSft(session, lm, {
    kind: 'start',
    dir: stageDir(session, 'start'),
    items: sftItems(data.examples, data.encoded),
    devItems: [],
    data: input.files,
    learningRate: options.sftLearningRate,
    epochs: options.sftNumTrainEpochs,
    stage: true,
  })
}

async function trainScorers(
  session: Session,
  lm: LanguageModel,
  data: Awaited<ReturnType<typeof encodeData>>,
  input: AlignInput,
  remember: Remember,
): Promise<{ scorers: FoldModel[]; second: FoldModel }> {
  const { options, ui } = session
  const common = { data: input.files, stage: true }
  const scorers = await trainRewardModels(session, lm, data, {
    ...common,
    folds: options.folds,
    seed: options.seed,
    dir: (fold) => stageDir(session, `reward-fold-${fold}`),
    label: (fold) => `reward model, fold ${fold}`,
  })
  if (session.stopRequested()) throw new Stopped()
  const [second] = await trainRewardModels(session, lm, halfOf(session, data), {
    ...common,
    folds: 1,
    seed: options.seed + 1000,
    dir: () => stageDir(session, 'reward-second'),
    label: () => 'second reward model, to judge',
  })
  for (const { fold, accuracy, run } of scorers) {
    remember(`reward model, fold ${fold}`, run)
    if (accuracy) ui.line(`fold ${fold}: right on ${accuracyText(accuracy)}`)
  }
  const unseen = select(data, (example) => !isJudged(session, example))
  second.accuracy = await labelAccuracy(session, second.model, unseen)
  return { scorers, second }
}

/** Half of the prompts by a hash of its own: the judge shares neither its prompts nor its seed with one scorer. */
function halfOf(session: Session, data: Awaited<ReturnType<typeof encodeData>>) {
  return { ...data, ...select(data, (example) => isJudged(session, example)) }
}

/** Whether the second reward model was trained on the example's prompt. */
const isJudged = ({ options }: Session, { prompt }: Example) => foldOf(prompt, options.seed + 1000, 2) === 0

/** What both ways from the start have in common. */
function fromStart(session: Session, kind: string, files: DataFile[]): Omit<PolicyFit, 'items'> {
  const { learningRate, numTrainEpochs, maxSteps } = session.options
  const dir = stageDir(session, kind)
  return { kind, dir, devItems: [], data: files, learningRate, epochs: numTrainEpochs, maxSteps, stage: true }
}

/** Trains a model read anew from `folder`, and frees it: what came out lies in its checkpoint. */
async function trainCopy(
  session: Session,
  folder: string,
  run: (lm: LanguageModel) => Promise<TrainingResult>,
): Promise<TrainingResult> {
  const lm = await loadTrainable(session, folder)
  try {
    return await run(lm)
  } finally {
    lm.model.dispose()
  }
}

const sftBaseline = (session: Session, start: string, examples: readonly Example[], { files }: AlignInput) =>
  trainCopy(session, start, async (lm) => {
    const data = await encodeData(session, lm, examples, 2)
    return fitSft(session, lm, {
      ...fromStart(session, 'sft', files),
      items: sftItems(data.examples, data.encoded),
    })
  })

const clhaRun = (
  session: Session,
  start: string,
  lists: readonly RankedList[],
  { files, train, round }: AlignInput & { round: number },
) =>
  trainCopy(session, start, async (lm) => {
    const trajectory = { ranked: rankedHash(lists) }
    const items = await itemsOf(session, lm, lists)
    const common = fromStart(session, 'clha', files)
    const dir = round > 1 ? stageDir(session, `round-${round}`) : common.dir
    const generate = generationHook(session, lm, train, { dir, start })
    return fitPolicy(session, lm, { ...common, dir, items, trajectory, generate })
  })
