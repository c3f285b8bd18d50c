/** Ranked lists for training: read from a rescored file, or made from preferences and their rewards. */
import { closeSync, openSync, readSync } from 'node:fs'
import type { Example } from '../data/example.js'
import { splitByPrompt } from '../data/split.js'
import { usageError } from '../errors.js'
import type { RankedList } from '../rescore/ranked.js'
import { readRankedJsonl } from '../rescore/ranked-jsonl.js'
import type { DataFile } from '../runs/run-manifest.js'
import { sha256File } from './files.js'
import { rescoreStation } from './rescoring.js'
import { columnScores, hasColumnScores, scoreWithModel } from './scoring.js'
import type { Session } from './session.js'
import { loadSplits } from './splits.js'

export interface RankedData {
  train: RankedList[]
  dev: RankedList[]
  files: DataFile[]
}

/** A rescored file is known by the keys of its first row. */
export function isRankedFile(path: string): boolean {
  if (!path.endsWith('.jsonl')) return false
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    return false
  }
  const head = Buffer.alloc(64)
  const size = readSync(fd, head, 0, head.length, 0)
  closeSync(fd)
  return head.toString('utf8', 0, size).startsWith('{"example":')
}

/** @throws ClhaError (exit 2) when neither the data nor a reward model has rewards */
export async function loadRanked(session: Session): Promise<RankedData> {
  const paths = [session.options.trainDataset as string | string[]].flat()
  if (paths.every(isRankedFile)) return readRanked(session, paths)
  const { train, dev, files } = await loadSplits(session, 2, false)
  const scored = await scores(session, [...train, ...dev])
  const { lists } = await rescoreStation(session, scored)
  const inTrain = new Set(train.map((e) => e.id))
  return { train: lists.filter((l) => inTrain.has(l.example.id)), dev: lists.filter((l) => !inTrain.has(l.example.id)), files }
}

async function readRanked({ options }: Session, paths: string[]): Promise<RankedData> {
  const lists: RankedList[] = []
  const files: DataFile[] = []
  for (const path of paths) {
    const before = lists.length
    for await (const list of readRankedJsonl(path)) lists.push(list)
    files.push({ path, sha256: await sha256File(path), rows: lists.length - before })
  }
  const { devFraction: dev, seed } = options
  const split = splitByPrompt(lists.map((l) => l.example), { devFraction: dev, seed })
  const inDev = new Set<Example>(split.dev)
  return { train: lists.filter((l) => !inDev.has(l.example)), dev: lists.filter((l) => inDev.has(l.example)), files }
}

export async function scores(session: Session, examples: Example[]) {
  if (session.options.rewardModel !== undefined) return scoreWithModel(session, examples)
  if (hasColumnScores(examples)) return columnScores(examples)
  throw usageError(
    'CLHA contrasts answers by their rewards, and the data has none',
    'give a reward_model, name the column with reward_column, or run the whole pipeline: clha align',
  )
}
