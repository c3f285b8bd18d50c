/** An alignment that goes on: what its stages began with is compared before anything in the folder is written. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { requireSameTrajectory } from '../../checkpoint/policy/trajectory.js'
import type { ResolvedConfig } from '../../config/load-config.js'
import { SECTION_KEYS } from '../../config/sections.js'
import { readRun } from '../../runs/read-run.js'
import { RUN_FILE } from '../../runs/run-manifest.js'
import { trajectoryKeys } from '../../session/trajectory-keys.js'

/** Of the policy's own training: what ranks its lists, how fast and how long it learns. */
const OF_THE_POLICY = [
  ...SECTION_KEYS.rescore.filter((key) => key !== 'relabels'),
  'learning_rate',
  'num_train_epochs',
]

/**
 * Stages check their own trajectories when their turn comes; until then earlier stations would have written the config and
 * the ranked lists of other settings beside a policy that never saw them.
 * @throws ClhaError (exit 2) listing the settings that differ from those of a stage that has a checkpoint
 */
export function requireSameSettings({ values }: Pick<ResolvedConfig, 'values'>, outputDir: string): void {
  if (!existsSync(outputDir)) return
  const now: Record<string, unknown> = values
  for (const name of readdirSync(outputDir)) {
    const dir = join(outputDir, name)
    if (!existsSync(join(dir, RUN_FILE))) continue
    const { manifest, checkpoints } = readRun(dir)
    if (checkpoints.length === 0) continue
    const { config, kind } = manifest
    const keys = [...trajectoryKeys(values), ...(kind === values.method ? OF_THE_POLICY : [])]
    const picked = (of: Record<string, unknown>) =>
      Object.fromEntries(keys.filter((key) => Object.hasOwn(config, key)).map((key) => [key, of[key]]))
    const comparable = (of: Record<string, unknown>) => ({
      seed: of.seed as number,
      conditions: {} as never,
      trajectory: picked(of),
    })
    requireSameTrajectory(comparable(config), comparable(now), true, checkpoints[0].path)
  }
}
