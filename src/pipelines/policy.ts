/** The policy's own trainings: SFT on one answer a prompt, CLHA on ranked lists. */
import type { EncodedExample } from '../data/encoded.js'
import type { Example } from '../data/example.js'
import type { RankedList } from '../rescore/ranked.js'
import type { DataFile } from '../runs/run-manifest.js'
import { onlyBest, type TrainItem } from '../train/items.js'
import { clhaObjective, sftObjective } from '../train/objective.js'
import type { TrainingResult } from '../train/run.js'
import { fitModel } from './fit.js'
import type { LanguageModel } from './language-model.js'
import type { Session } from './session.js'
import { sha256 } from './session.js'

/** The human-chosen answer, else the first. */
export function chosenIndex({ preferences, candidates }: Example): number {
  const wins = candidates.map(
    (_, i) =>
      preferences.filter((p) => p.better === i).length - preferences.filter((p) => p.worse === i).length,
  )
  return wins.indexOf(Math.max(...wins))
}

/** SFT on the human-chosen answer of each example. */
export function sftItems(examples: readonly Example[], encoded: readonly EncodedExample[]): TrainItem[] {
  return examples.map((example, i) =>
    onlyBest({ encoded: encoded[i], pairs: [], sft: { index: chosenIndex(example), weight: 1 }, labels: [] }),
  )
}

/** CLHA on ranked lists; `method: sft` takes only the best answer of each. */
export function rankedItems(
  session: Session,
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
): TrainItem[] {
  const items = lists.map((list, i): TrainItem => {
    return { encoded: encoded[i], pairs: list.pairs, sft: list.sft, labels: list.example.preferences }
  })
  return session.options.method === 'sft' ? items.map(onlyBest) : items
}

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

export function fitClha(
  session: Session,
  { model, tokenizer }: LanguageModel,
  f: PolicyFit,
): Promise<TrainingResult> {
  const { options } = session
  const n = Math.max(0, ...f.items.map((item) => item.encoded.answers.length))
  const legacy = options.mode === 'legacy'
  return fitModel(session, {
    ...f,
    model,
    tokenizerDir: tokenizer.dir,
    objective: clhaObjective({
      margin: options.margin,
      marginScale: options.marginScale,
      // The paper's code scales the SFT weight with the number of candidates (its 0.05 is for n = 2).
      sftWeight: legacy ? options.sftWeight * (n - 1) ** 2 : options.sftWeight,
      sftReduction: legacy ? 'lists' : 'tokens',
    }),
    batchSize: globalBatch(session),
    shown: { rank: 'rank_loss', sft: 'sft_loss', acc: 'rewards/accuracies', margin: 'rewards/margins' },
  })
}
