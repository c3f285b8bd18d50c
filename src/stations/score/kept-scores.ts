/** Scores of a reward model that outlive what comes after them: a calibration that fails must not cost them. */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Corpus, ScoredCorpus } from '../../data/corpus.js'
import { isScoreFile } from '../../reward/score-cache.js'
import type { Needs } from '../../session/needs.js'
import { scoreCorpus } from './scoring.js'

const FOLDER = 'scores'

type KeptOptions = Needs<'outputDir' | 'rewardModel' | 'scoreCacheDir'>['options']

/** Whether scores are kept beside the run. */
const areKept = ({ rewardModel, scoreCacheDir }: KeptOptions): boolean =>
  rewardModel !== undefined && scoreCacheDir === undefined

/**
 * As `scoreCorpus`; where no `score_cache_dir` is named, scores are kept beside the run until they stand in its lists.
 * A second run in the same folder knows them.
 */
export function keptScores(
  session: Parameters<typeof scoreCorpus>[0] & Needs<'outputDir'>,
  corpus: Corpus,
): Promise<ScoredCorpus> {
  const { options } = session
  if (!areKept(options)) return scoreCorpus(session, corpus)
  const scoreCacheDir = join(options.outputDir, FOLDER)
  return scoreCorpus({ ...session, options: { ...options, scoreCacheDir } }, corpus)
}

/** The lists are written, with their rewards: score files that `keptScores` made go, and nothing else. */
export function dropKeptScores(options: KeptOptions): void {
  const dir = join(options.outputDir, FOLDER)
  if (!areKept(options) || !existsSync(dir)) return
  for (const name of readdirSync(dir)) if (isScoreFile(name)) rmSync(join(dir, name))
  if (readdirSync(dir).length === 0) rmdirSync(dir)
}
