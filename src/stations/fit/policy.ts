/** The policy's own trainings: ranked lists to items, the reference's log-probabilities, and one of the methods on the trainer. */
import type { Options } from '../../config/options.js'
import { type EncodedCorpus, partOf } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import type { LanguageModel } from '../../load/language-model.js'
import { sftItems } from '../../methods/items.js'
import { markerOf, materialOf, objectiveOf, shownOf, usesReference } from '../../methods/registry.js'
import type { RankedList } from '../../rescore/ranked.js'
import type { DataFile } from '../../runs/run-manifest.js'
import type { Needs } from '../../session/needs.js'
import { amount, count } from '../../show/units.js'
import { withMarker } from '../../text/marker.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { TrainingResult } from '../../train/loop/run.js'
import { sftObjective } from '../../train/objectives/objective.js'
import type { RankedCorpus } from '../rank/ranked-data.js'
import { encodeCorpus } from '../read/encode-corpus.js'
import { type FitNeeds, fitModel } from './fit.js'
import { type ItemNeeds, itemsOf } from './method-items.js'
import { type ReferenceNeeds, withReferences } from './references.js'
import { type GenerationPlace, generationHook, type WatchNeeds } from './watch.js'

/** A training of the policy, but for what it learns from. */
export interface PolicyTraining {
  /** Shown beside the progress, and kept in run.json. */
  kind: string
  dir: string
  files: DataFile[]
  learningRate: number
  epochs: number
  /** Optimizer steps in all, instead of `epochs`. */
  maxSteps?: number
  /** A stage of a larger pipeline: it keeps its last checkpoint, and says nothing of its lists. */
  stage: boolean
  /** Called when the folder is ours, before the first step. */
  opened?(): Promise<void>
  /** Prompts that the policy answers while it learns, and where it began. */
  watch?: GenerationPlace & { held: readonly Example[] }
}

export type PolicyNeeds = FitNeeds & ItemNeeds & ReferenceNeeds & WatchNeeds

/**
 * Trains on ranked lists with the config's method; rows of the part `dev` choose checkpoints.
 * @throws ClhaError (exit 2) when nothing can be learnt from them
 */
export async function trainPolicy(
  session: PolicyNeeds,
  lm: LanguageModel,
  corpus: RankedCorpus,
  { files, watch, ...training }: PolicyTraining,
): Promise<TrainingResult> {
  const { options } = session
  const [items, devItems] = await policyItems(session, lm, corpus)
  requireSomething(options, items)
  const groups = usesReference(options)
    ? await withReferences(session, lm, [items, devItems])
    : [items, devItems]
  const trained = partOf(corpus, 'train').lists
  if (!training.stage) sayLists(session, items, trained.length, corpus.lists.length - trained.length)
  const n = Math.max(0, ...items.map((item) => item.encoded.answers.length))
  return fitModel(session, {
    ...training,
    model: lm.model,
    tokenizerDir: lm.tokenizer.dir,
    objective: await objectiveOf(options, n),
    items: groups[0],
    devItems: groups[1],
    data: files,
    batchSize: globalBatch(options),
    shown: shownOf(options),
    trajectory: { ranked: rankedHash(trained) },
    generate: watch && generationHook(session, answeringModel(options, lm), watch.held, watch),
  })
}

/** Items of the parts train and dev. Their lists are tokenised together, and made into items apart. */
async function policyItems(
  session: ItemNeeds,
  lm: LanguageModel,
  corpus: RankedCorpus,
): Promise<[TrainItem[], TrainItem[]]> {
  const inTokens = materialOf(session.options) !== 'sequences'
  const ready = inTokens ? await encodeCorpus(session, lm, corpus, 1) : corpus
  return [
    await itemsOf(session, lm, partOf(ready, 'train')),
    await itemsOf(session, lm, partOf(ready, 'dev')),
  ]
}

/** SFT on the chosen answers, whatever the config's method is. */
export function trainSft(
  session: FitNeeds,
  { model, tokenizer }: LanguageModel,
  { examples, encoded }: EncodedCorpus,
  { files, ...training }: Omit<PolicyTraining, 'watch'>,
): Promise<TrainingResult> {
  return fitModel(session, {
    ...training,
    model,
    tokenizerDir: tokenizer.dir,
    objective: sftObjective(),
    items: sftItems(examples, encoded),
    devItems: [],
    data: files,
    batchSize: globalBatch(session.options),
    shown: { accuracy: 'mean_token_accuracy' },
  })
}

/** Lists of one optimizer step. */
export const globalBatch = (
  options: Pick<Options, 'perDeviceTrainBatchSize' | 'gradientAccumulationSteps'>,
): number => options.perDeviceTrainBatchSize * options.gradientAccumulationSteps

/** Hash of everything that ranked lists bring into a training. */
export function rankedHash(lists: readonly RankedList[]): string {
  return sha256(JSON.stringify(lists.map((l) => [l.example.id, l.rewards, l.order, l.pairs, l.sft])))
}

/** A model that is trained to answer behind a marker is asked so, too. */
function answeringModel(options: object, lm: LanguageModel): LanguageModel {
  const marker = markerOf(options)
  return marker === undefined ? lm : { ...lm, template: withMarker(lm.template, marker) }
}

const isContrasted = ({ pairs, rows = [] }: TrainItem): boolean =>
  [...pairs, ...rows].some(({ weight }) => weight > 0)

/** @throws ClhaError (exit 2) when no step could move anything */
function requireSomething(options: Pick<Options, 'method' | 'sftWeight'>, items: readonly TrainItem[]): void {
  const judges = materialOf(options) === 'pairs' || materialOf(options) === 'rows'
  if (!judges || options.sftWeight > 0 || items.length === 0 || items.some(isContrasted)) return
  throw usageError(
    `method: ${options.method}: no answer is preferred to another, so nothing can be learnt`,
    'label_source: human needs labels in the data; label_source: reward needs rewards; a lower min_confidence keeps more pairs',
  )
}

function sayLists(
  { options, ui }: Needs<'method', 'ui'>,
  items: readonly TrainItem[],
  trained: number,
  heldOut: number,
): void {
  if (materialOf(options) !== 'pairs') return
  const contrasted = items.filter(isContrasted).length
  ui.line(
    `${amount(trained, 'list')}, ${count(contrasted)} of them contrasted · ${amount(heldOut, 'list')} held out`,
  )
}
