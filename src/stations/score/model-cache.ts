/** Known scores of a reward model: one file for rescoring, evaluation and serving. */
import type { Options } from '../../config/options.js'
import { openScoreCache, type ScoreCache } from '../../reward/score-cache.js'
import { scorerIdentity } from '../../reward/scorer-identity.js'
import type { Needs } from '../../session/needs.js'

/**
 * @param cut how texts are cut here: version 0.1.0 kept scores apart by it
 * @returns undefined where the config names no `score_cache_dir`
 */
export async function openModelCache(
  { options, dtype }: Needs<'scoreCacheDir', 'dtype'>,
  { folder, bits, template }: { folder: string; bits?: number; template: string },
  cut?: Pick<Options, 'maxLength' | 'maxPromptLength' | 'truncation'>,
): Promise<ScoreCache | undefined> {
  if (options.scoreCacheDir === undefined) return undefined
  const { identity, earlier } = await scorerIdentity({ folder, dtype, bits }, cut && { ...cut, template })
  return openScoreCache(options.scoreCacheDir, identity, earlier)
}
