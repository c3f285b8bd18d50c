/** The policy's own trainings: every method on the one trainer. */

import type { LanguageModel } from '../../load/language-model.js'
import { objectiveOf, shownOf } from '../../methods/registry.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Session } from '../../session/session.js'
import { sha256 } from '../../session/session.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { TrainingResult } from '../../train/loop/run.js'
import { sftObjective } from '../../train/objectives/objective.js'
import { fitModel } from './fit.js'

/** Hash of everything that ranked lists bring into a training. */
export function rankedHash(lists: readonly RankedList[]): string {
  return sha256(JSON.stringify(lists.map((l) => [l.example.id, l.rewards, l.order, l.pairs, l.sft])))
}

export interface PolicyFit {
  kind: string
  dir: string
  items: readonly TrainItem[]
  devItems: readonly TrainItem[]
  data: DataFile[]
  learningRate: number
  epochs: number
  maxSteps?: number
  stage: boolean
  /** Called when the folder is ours, before the first step. */
  opened?(): Promise<void>
  trajectory?: Record<string, unknown>
  generate?(step: number): Promise<Record<string, number>>
}

const globalBatch = ({ options }: Session) =>
  options.perDeviceTrainBatchSize * options.gradientAccumulationSteps

/** SFT, whatever the config's method is. */
export function fitSft(
  session: Session,
  { model, tokenizer }: LanguageModel,
  f: PolicyFit,
): Promise<TrainingResult> {
  return fitModel(session, {
    ...f,
    model,
    tokenizerDir: tokenizer.dir,
    objective: sftObjective(),
    batchSize: globalBatch(session),
    shown: { accuracy: 'mean_token_accuracy' },
  })
}

/** The config's method on items made for it. */
export async function fitPolicy(
  session: Session,
  { model, tokenizer }: LanguageModel,
  f: PolicyFit,
): Promise<TrainingResult> {
  const n = Math.max(0, ...f.items.map((item) => item.encoded.answers.length))
  return fitModel(session, {
    ...f,
    model,
    tokenizerDir: tokenizer.dir,
    objective: await objectiveOf(session.options, n),
    batchSize: globalBatch(session),
    shown: shownOf(session.options),
  })
}
