/** An alignment on its way: its start model, what its stations took, what its trainings logged. */
import type { Example } from '../../data/example.js'
import type { LanguageModel } from '../../load/language-model.js'
import { parameterCount } from '../../models/decoder/decoder.js'
import type { StationReport } from '../../report/types.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { Rescored } from '../../rescore/rescore.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { throwIfStopped } from '../../session/stopped.js'
import type { FoldModel } from '../../stations/score/fold-model.js'
import type { TrainingResult } from '../../train/loop/run.js'

/** What an alignment learns from, and what it is judged on. */
export interface AlignData {
  train: readonly Example[]
  test: readonly Example[]
  files: DataFile[]
  /** Answers to learn from before the alignment; the chosen answers of `train` when left out. */
  demonstrations?: readonly Example[]
  /** Where the SFT start of `demonstrations` is kept, and what it is known by, when several alignments share it. */
  sharedStart?: { dir: string; files: DataFile[] }
  /** `train` as another annotator labelled it, for the second reward model; the labels of `train` when left out. */
  secondTrain?: readonly Example[]
  /** The truth rewardModels the answers: no second reward model is trained to. */
  scoredByTruth?: boolean
  /** Which labels are really reversed, where that is known. */
  truth?: (list: RankedList) => readonly boolean[]
}

export interface Alignment {
  session: Session
  /** The start model; the SFT start trains it in place. */
  lm: LanguageModel
  parameters: number
  stations: StationReport[]
  curves: { name: string; run: TrainingResult }[]
  /** Reward models in memory, freed at the end. */
  rewardModels: FoldModel[]
}

/** What came out. */
export interface Aligned {
  /** The model that the alignment began with, after the SFT start. */
  start: string
  /** SFT on the chosen answers, from the same start, to compare with. */
  sft?: string
  clha: string
  /** Policies of the rounds before the last, whose policy is `clha`. */
  rounds: string[]
  /** Cross-fitted reward models that scored the training data; none when an outside scorer did. */
  scorers: FoldModel[]
  /** Trained on other prompts with another seed; it scored nothing before the evaluation. */
  second?: FoldModel
  rescored: Rescored
}

export const openAlignment = (session: Session, lm: LanguageModel): Alignment => ({
  session,
  lm,
  parameters: parameterCount(lm.model),
  stations: [],
  curves: [],
  rewardModels: [],
})

/** Frees the models. */
export function closeAlignment({ lm, rewardModels }: Alignment): void {
  for (const { model } of rewardModels) model.dispose()
  lm.model.dispose()
}

/** Runs the stations of an alignment, and frees its models however they end. */
export async function withAlignment<T>(
  session: Session,
  lm: LanguageModel,
  work: (a: Alignment) => Promise<T>,
): Promise<T> {
  const a = openAlignment(session, lm)
  try {
    return await work(a)
  } finally {
    closeAlignment(a)
  }
}

/** Runs a station and keeps how long it took. @throws Stopped when a signal asked to stop before or in it */
export async function station<T>(
  { session, stations }: Pick<Alignment, 'session' | 'stations'>,
  title: string,
  run: () => Promise<T>,
  detail?: string,
): Promise<T> {
  throwIfStopped(session)
  session.ui.station(`${stations.length + 1} ${title}`, detail)
  const started = performance.now()
  const result = await run()
  const seconds = (performance.now() - started) / 1000
  stations.push({ name: title, seconds, ...(detail && { detail }) })
  throwIfStopped(session)
  return result
}

/** Keeps a training's curve under a name. @returns its model's folder */
export function remember({ curves }: Alignment, name: string, run: TrainingResult): string {
  curves.push({ name, run })
  return run.model
}
