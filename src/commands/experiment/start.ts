/** What the cells of one seed and noise share: start model, reward models, rewards, test prompts, and who judges. */
import type { Example } from '../../data/example.js'
import type { Message } from '../../dialogue.js'
import { type EvaluationSet, evaluationSet } from '../../evaluate/evaluation-set.js'
import { type LanguageModel, loadLanguageModel, loadStartModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import type { RankedList } from '../../rescore/ranked.js'
import { rescoreLists } from '../../rescore/rescore.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { writeConfig } from '../../session/outputs.js'
import type { Session } from '../../session/session.js'
import type { Scorer } from '../../stations/judge/evaluation.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { loadSplits } from '../../stations/read/splits.js'
import { makeStarterWorld } from '../../stations/read/starter-world.js'
import { augmentScored } from '../../stations/sample/sampled-candidates.js'
import type { ScoredData } from '../../stations/score/scoring.js'
import { scorersOf } from '../align/align-evaluate.js'
import { disposeScorers, prepareStations, temperaturesOf } from '../align/align-stations.js'
import type { StartPlan } from './plan-cells.js'

export interface Started {
  /** The start model, and its folder. */
  lm: LanguageModel
  folder: string
  files: DataFile[]
  /** The training data with its rewards, and so many sampled answers of the start model added to each prompt. */
  scored(augmented: number): Promise<ScoredData>
  truth?(list: RankedList): readonly boolean[]
  set: EvaluationSet
  scorers: Scorer[]
  trueReward?(i: number, text: string): number
  dispose(): void
}

interface Source {
  train: Example[]
  test: readonly Example[]
  files: DataFile[]
  demonstrations?: Example[]
  truth?(list: RankedList): readonly boolean[]
  oracle?(prompt: readonly Message[], answer: string): number
}

async function sourceOf(session: Session, { world: options, dir }: StartPlan, dev: boolean): Promise<Source> {
  if (!options) {
    const { train, test, dev: held, files } = await loadSplits(session, 2, dev ? 'train' : 'align')
    return { train, test: dev ? held : test, files }
  }
  const { world, hash, truth, trueReward } = await makeStarterWorld(options.seed, dir, options)
  const { train, test, demonstrations } = world
  const files = [{ path: 'starter world', sha256: hash, rows: train.length }]
  return { train, test: dev ? world.dev : test, files, demonstrations, truth, oracle: trueReward }
}

/** @param dev judge on the development prompts, as `--tune` does */
export async function startOf(session: Session, plan: StartPlan, dev: boolean): Promise<Started> {
  const { options, dtype } = session
  const { oracle, ...source } = await sourceOf(session, plan, dev)
  await writeConfig(session)
  const fresh = await loadStartModel(session)
  const prepared = await prepareStations(
    session,
    fresh,
    { ...source, compareSft: false },
    [],
    (_, run) => run.model,
  )
  const { start: folder, scorers: models } = prepared
  // One unit of the judges for all cells, whatever their own label source is.
  const calibrated = rescoreLists({ ...prepared.scored, options: rescoreOptions(session) })
  const temperatures = temperaturesOf(models, calibrated)
  const lm = await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'blocks'))
  const set = evaluationSet(source.test, options.evalPrompts, options.seed)
  const known = new Map<number, Promise<ScoredData>>()
  return {
    lm,
    folder,
    files: source.files,
    truth: source.truth,
    set,
    scorers: scorersOf(session, fresh, { ...prepared, temperatures }),
    ...(oracle && { trueReward: (i: number, text: string) => oracle(set.prompts[i] as Message[], text) }),
    scored(augmented) {
      const found =
        known.get(augmented) ??
        augmentScored(session, lm, { scored: prepared.scored, scorers: models, count: augmented })
      known.set(augmented, found)
      return found
    },
    dispose() {
      disposeScorers(prepared)
      fresh.model.dispose()
      lm.model.dispose()
    },
  }
}
