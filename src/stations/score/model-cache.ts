/** Known scores of a reward model: one file for rescoring, evaluation and serving. */
import { openScoreCache, type ScoreCache } from '../../reward/score-cache.js'
import { scorerIdentity } from '../../reward/scorer-identity.js'
import type { Needs } from '../../session/needs.js'

/** @returns undefined where the config names no `score_cache_dir` */
export async function openModelCache(
  { options, dtype }: Needs<'scoreCacheDir' | 'maxLength' | 'maxPromptLength' | 'truncation', 'dtype'>,
  { folder, bits, template }: { folder: string; bits?: number; template: string },
): Promise<ScoreCache | undefined> {
  const { scoreCacheDir, maxLength, maxPromptLength, truncation } = options
  if (scoreCacheDir === undefined) return undefined
  const lengths = { maxLength, maxPromptLength, truncation }
  const { identity, earlier } = await scorerIdentity({ folder, dtype, bits }, { ...lengths, template })
  return openScoreCache(scoreCacheDir, identity, earlier)
}
