/** The stations of an alignment, from a start model and split examples to systems ready to be compared. */
import type { Example } from '../data/example.js'
import { foldOf } from '../data/split.js'
import type { StationReport } from '../evaluate/report/types.js'
import type { DecoderConfig } from '../models/config.js'
import { parameterCount } from '../models/decoder.js'
import type { RankedList } from '../rescore/ranked.js'
import type { Rescored } from '../rescore/rescore.js'
import type { DataFile } from '../runs/run-manifest.js'
import { duration } from '../terminal/units.js'
import type { TrainingResult } from '../train/run.js'
import { encodeData } from './data.js'
import { stageDir } from './fit.js'
import { type LanguageModel, loadLanguageModel } from './language-model.js'
import { fitClha, fitSft, type PolicyFit, rankedHash, sftItems } from './policy.js'
import { scores } from './ranked-data.js'
import { rescoreStation } from './rescoring.js'
import { type FoldModel, labelAccuracy, select, trainRewardModels } from './reward-models.js'
import { accuracyText } from './reward-train.js'
import { crossFittedScores } from './scoring.js'
import type { Session } from './session.js'
import { Stopped } from './stopped.js'
import { itemsOf } from './train.js'

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

export async function alignStations(
  session: Session,
  lm: LanguageModel,
  input: AlignInput,
  stations: StationReport[],
): Promise<Aligned> {
  const { options } = session
  const curves: Aligned['curves'] = []
  const at = <T>(title: string, run: () => Promise<T>) => station(session, stations, title, run)
  const remember = (name: string, run: TrainingResult) => {
    curves.push({ name, run })
    return run.model
  }
  const parameters = parameterCount(lm.model)
  const makeStart = async () =>
    options.sftNumTrainEpochs > 0
      ? at('start', async () => remember('start', await sftStart(session, lm, input)))
      : (options.modelNameOrPath as string)
  const data = await encodeData(session, lm, input.train, 2)
  const outside = options.rewardModel !== undefined
  // A model that learned the chosen answers knows the labels: reward models that began there would grade what they were told.
  const startIsBlind = input.demonstrations !== undefined
  const blindStart = startIsBlind ? await makeStart() : undefined
  if (!outside && !startIsBlind && options.modelNameOrPath === undefined) sayRandomStart(session)
  const { scorers, second } = outside
    ? { scorers: [], second: undefined }
    : await at('reward model', async () => trainScorers(session, lm, data, input, remember))
  const start = blindStart ?? (await makeStart())
  const rescored = await at('rescore', async () => {
    const scored = outside
      ? await scores(session, data.examples)
      : await crossFittedScores(session, scorers, data)
    return rescoreStation(session, scored, input.truth)
  })
  const sft = input.compareSft
    ? await at('sft, to compare', async () =>
        remember('sft', await sftBaseline(session, start, data.examples, input)),
      )
    : undefined
  const clha = await at('align (clha)', async () =>
    remember('clha', await clhaRun(session, start, rescored.lists, input)),
  )
  const temperatures = scorers.map(
    ({ fold }) => rescored.calibrations.find((c) => c.fold === fold)?.temperature ?? 1,
  )
  return {
    start,
    sft,
    clha,
    scorers,
    second,
    rescored,
    temperatures,
    curves,
    stations,
    parameters,
    shape: lm.model.config,
    dispose: () => {
      for (const { model } of [...scorers, ...(second ? [second] : [])]) model.dispose()
    },
  }
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
  remember: (name: string, run: TrainingResult) => string,
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
  { dtype, options }: Session,
  folder: string,
  run: (lm: LanguageModel) => Promise<TrainingResult>,
): Promise<TrainingResult> {
  const lm = await loadLanguageModel(folder, dtype, options.chatTemplate)
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

const clhaRun = (session: Session, start: string, lists: readonly RankedList[], { files }: AlignInput) =>
  trainCopy(session, start, async (lm) => {
    const trajectory = { ranked: rankedHash(lists) }
    const items = await itemsOf(session, lm, lists)
    return fitClha(session, lm, { ...fromStart(session, 'clha', files), items, trajectory })
  })
