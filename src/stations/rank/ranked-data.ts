import type { Example } from '../../data/example.js'
import { splitByPrompt } from '../../data/split.js'
import { usageError } from '../../errors.js'
import { materialOf, needsRewards } from '../../methods/registry.js'
import { PRIOR_LABEL_ERROR } from '../../rescore/calibrate.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import { rankDefaults, rankLists } from '../../rescore/rank.js'
import type { RankedList } from '../../rescore/ranked.js'
import { readRankedJsonl } from '../../rescore/ranked-jsonl.js'
import type { DataFile } from '../../runs/run-manifest.js'
import { sha256File } from '../../session/outputs.js'
import type { Session } from '../../session/session.js'
import { fractionsOf, loadSplits } from '../read/splits.js'
import { columnScores, hasColumnScores, hasOutsideScorer, outsideScores } from '../score/scoring.js'
import { rescoreData, writeRescored } from './rescoring.js'

export interface RankedData {
  train: RankedList[]
  dev: RankedList[]
  files: DataFile[]
  /** Writes the lists and their audit beside the run, where they were made here. */
  write?(): Promise<void>
}

/** @throws ClhaError (exit 2) when neither the data nor a reward model has rewards */
export async function loadRanked(session: Session): Promise<RankedData> {
  const paths = [session.options.trainDataset as string | string[]].flat()
  if (paths.every(isRankedFile)) return readRanked(session, paths)
  const { options } = session
  const one = materialOf(options) === 'answer'
  const { train, dev, files } = await loadSplits(session, one ? 1 : 2, 'train')
  if (!needsRewards(options))
    return { train: plainLists(session, train), dev: plainLists(session, dev), files }
  const scored = await scores(session, [...train, ...dev])
  if (one && options.labelSource === 'reward') {
    const inTrain = new Set<unknown>(train)
    const of = (wanted: boolean) => scored.examples.flatMap((e, i) => (inTrain.has(e) === wanted ? [i] : []))
    const lists = (places: number[]) =>
      plainLists(
        session,
        places.map((i) => scored.examples[i]),
        places.map((i) => scored.rewards[i]),
      )
    return { train: lists(of(true)), dev: lists(of(false)), files }
  }
  const rescored = rescoreData(session, scored)
  const { lists } = rescored
  const inTrain = new Set(train.map((e) => e.id))
  return {
    train: lists.filter((l) => inTrain.has(l.example.id)),
    dev: lists.filter((l) => !inTrain.has(l.example.id)),
    files,
    write: () => writeRescored(session, rescored),
  }
}

/** Lists that labels alone or rewards alone order, so that nothing has to be calibrated. */
export function plainLists(
  { options }: Session,
  examples: readonly Example[],
  rewards = examples.map(({ candidates }) => candidates.map(() => 0)),
): RankedList[] {
  const { labelSource, pairWeight, minConfidence, labelError = PRIOR_LABEL_ERROR } = options
  const rules = { ...rankDefaults, labelSource, pairWeight, minConfidence, sftGate: 'off' } as const
  // No reward is asked for: whatever the source, labels are all there is.
  const source = needsRewards(options) ? labelSource : 'human'
  return rankLists(examples, rewards, { ...rules, labelSource: source }, () => ({
    temperature: 1,
    labelError,
  }))
}

async function readRanked({ options }: Session, paths: string[]): Promise<RankedData> {
  const { lists, files } = await readLists(paths)
  const examples = lists.map((l) => l.example)
  const split = splitByPrompt(examples, { fractions: fractionsOf(options, 'train'), seed: options.seed })
  const only = (part: readonly Example[]) => {
    const kept = new Set(part)
    return lists.filter((l) => kept.has(l.example))
  }
  if (options.evalDataset === undefined) return { train: only(split.train), dev: only(split.dev), files }
  const held = [options.evalDataset].flat()
  if (!held.every(isRankedFile)) {
    throw usageError(
      'train_dataset is rescored, eval_dataset is not',
      'rescore eval_dataset too, or leave it out: dev_fraction then holds out a part',
    )
  }
  const dev = await readLists(held)
  return { train: only(split.train), dev: dev.lists, files: [...files, ...dev.files] }
}

async function readLists(paths: readonly string[]): Promise<{ lists: RankedList[]; files: DataFile[] }> {
  const lists: RankedList[] = []
  const files: DataFile[] = []
  for (const path of paths) {
    const before = lists.length
    for await (const list of readRankedJsonl(path)) lists.push(list)
    files.push({ path, sha256: await sha256File(path), rows: lists.length - before })
  }
  return { lists, files }
}

export async function scores(session: Session, examples: Example[]) {
  if (hasOutsideScorer(session)) return outsideScores(session, examples)
  const { rewardColumn } = session.options
  if (rewardColumn !== undefined || hasColumnScores(examples)) return columnScores(examples, rewardColumn)
  throw usageError(
    `method: ${session.options.method} with label_source: ${session.options.labelSource} orders answers by rewards, and the data has none`,
    'give a reward_model or a reward_endpoint, name the column with reward_column, or run the whole pipeline: clha align',
  )
}
