/** What the cells of one seed and noise share: start model, reward models, rewards, test prompts, and who judges. */

import { partOf, type ScoredCorpus } from '../../data/corpus.js'
import { type Example, isLabelled } from '../../data/example.js'
import type { Part } from '../../data/split.js'
import type { Message } from '../../dialogue.js'
import { type EvaluationSet, evaluationSet } from '../../evaluate/evaluation-set.js'
import { type LanguageModel, loadLanguageModel, loadStartModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import type { RankedList } from '../../rescore/ranked.js'
import { rescoreLists } from '../../rescore/rescore.js'
import { type NoiseSettings, reversedRows } from '../../rescore/reversed-labels.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { writeConfig } from '../../session/outputs.js'
import type { Session } from '../../session/session.js'
import type { Scorer } from '../../stations/evaluate/scorers.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { loadData } from '../../stations/read/load-data.js'
import { loadSplits } from '../../stations/read/splits.js'
import { augmentScored } from '../../stations/sample/sampled-candidates.js'
import { makeStarterWorld } from '../../stations/starter/starter-world.js'
import { type AlignData, closeAlignment, openAlignment } from '../align/alignment.js'
import { scorersOf, temperaturesOf } from '../align/evaluate-aligned.js'
import { prepareStations } from '../align/prepare.js'
import { type OrdersRight, ordersRight } from './orders-right.js'
import type { StartPlan } from './plan-cells.js'

export interface Started {
  /** The start model, and its folder. */
  lm: LanguageModel
  folder: string
  files: DataFile[]
  /** The training data with its rewards, and so many sampled answers of the start model added to each prompt. */
  scored(augmented: number): Promise<ScoredCorpus>
  truth?(list: RankedList): readonly boolean[]
  /** Which orders are right, by whom; where the truth is known. */
  right?(augmented: number): Promise<OrdersRight>
  set: EvaluationSet
  /** Held-out pairs with the labels of people, of real data. */
  labelled: readonly Example[]
  scorers: Scorer[]
  trueReward?(i: number, text: string): number
  dispose(): void
}

interface Source extends AlignData {
  oracle?(prompt: readonly Message[], answer: string): number
}

async function sourceOf(
  session: Session,
  { world: options, dir, shared, reversal, otherJudge }: StartPlan,
  dev: boolean,
): Promise<Source> {
  if (!options) {
    const { corpus, files } = await loadSplits(session, 2, dev ? 'train' : 'align')
    const of = (part: Part) => partOf(corpus, part).examples
    const { sftDataset } = session.options
    const shown = sftDataset === undefined ? undefined : await loadData(session, sftDataset, 1)
    const data = {
      train: of('train'),
      test: of(dev ? 'dev' : 'test'),
      files,
      demonstrations: shown?.examples,
    }
    return reversal ? reversedSource(data, reversal) : data
  }
  const { world, hash, truth, trueReward } = await makeStarterWorld(options.seed, dir, options)
  const { train, test, demonstrations } = world
  const files = [{ path: 'starter world', sha256: hash, rows: train.length }]
  const shown = { path: 'demonstrations of the starter world', rows: demonstrations.length }
  return {
    train,
    test: dev ? world.dev : test,
    files,
    demonstrations,
    truth,
    oracle: trueReward,
    ...(shared && { sharedStart: { dir: shared.dir, files: [{ ...shown, sha256: shared.hash }] } }),
    ...(otherJudge && { secondTrain: world.labelledBy('judge') }),
  }
}

/** Only the judge learns from the labels as they were. */
function reversedSource(data: Source, reversal: NoiseSettings): Source {
  const rows = reversedRows(data.train, reversal)
  const wrong = new Map(rows.map((row) => [row.example.id, row.wrong]))
  return {
    ...data,
    train: rows.map(({ example }) => example),
    secondTrain: data.train,
    truth: ({ example }) => wrong.get(example.id) ?? [],
  }
}

/** @param dev judge on the development prompts, as `--tune` does */
export async function startOf(session: Session, plan: StartPlan, dev: boolean): Promise<Started> {
  const { options, dtype } = session
  const { oracle, ...data } = await sourceOf(session, plan, dev)
  await writeConfig(session)
  const a = openAlignment(session, await loadStartModel(session))
  const prepared = await prepareStations(a, data)
  const { start: folder, scorers: models } = prepared
  // One unit of the judges for all cells, whatever their own label source is.
  const calibrated = rescoreLists({ ...prepared.scored, options: rescoreOptions(options) })
  const lm = await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'blocks'))
  const set = evaluationSet(data.test, options.evalPrompts, options.seed)
  const scored = once((count) =>
    augmentScored(session, lm, { scored: prepared.scored, scorers: models, count }),
  )
  const { truth } = data
  return {
    lm,
    folder,
    files: data.files,
    truth,
    ...(truth && {
      right: once(async (count) => ordersRight(await scored(count), rescoreOptions(options, truth))),
    }),
    set,
    labelled: plan.world ? [] : data.test.filter(isLabelled),
    scorers: scorersOf(a, prepared, temperaturesOf(models, calibrated)),
    ...(oracle && { trueReward: (i: number, text: string) => oracle(set.prompts[i] as Message[], text) }),
    scored,
    dispose() {
      closeAlignment(a)
      lm.model.dispose()
    },
  }
}

/** What is asked for again by the same number is made once. */
function once<T>(make: (count: number) => Promise<T>): (count: number) => Promise<T> {
  const known = new Map<number, Promise<T>>()
  return (count) => {
    const found = known.get(count) ?? make(count)
    known.set(count, found)
    return found
  }
}
