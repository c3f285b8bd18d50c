/** Scores of a reward model that outlive what comes after them: a calibration that fails must not cost them. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Corpus, ScoredCorpus } from '../../data/corpus.js'
import type { Needs } from '../../session/needs.js'
import { scoreCorpus } from './scoring.js'

const FOLDER = 'scores'

/**
 * As `scoreCorpus`; where no `score_cache_dir` is named, scores are kept beside the run until they stand in its lists.
 * A second run in the same folder knows them.
 */
export function keptScores(
  session: Parameters<typeof scoreCorpus>[0] & Needs<'outputDir'>,
  corpus: Corpus,
): Promise<ScoredCorpus> {
  const { options } = session
  if (options.rewardModel === undefined || options.scoreCacheDir !== undefined)
    return scoreCorpus(session, corpus)
  const scoreCacheDir = join(options.outputDir, FOLDER)
  return scoreCorpus({ ...session, options: { ...options, scoreCacheDir } }, corpus)
}

/** The lists are written, with their rewards. */
export const dropKeptScores = (dir: string): void =>
  rmSync(join(dir, FOLDER), { recursive: true, force: true })
