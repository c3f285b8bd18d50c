/** How people are asked, and how a vote that goes on learns of it: from its ballots, and from a line beside the secret. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'
import { usageError } from '../errors.js'
import { sha256 } from '../files/digest.js'
import type { Comparison } from '../verdicts/types.js'
import { givenBallots } from './given.js'
import { MODES, type VoteMode } from './tasks.js'

export interface VoteSetup {
  mode: VoteMode
  /** Share of the items that each rater sees twice. */
  repeats: number
}

const USUAL: VoteSetup = { mode: 'pair', repeats: 0.05 }

/** The `settings` of a row: page and mode. */
export const settingsOf = (mode: VoteMode): string => sha256(`clha vote, page 1, ${mode}`)

/**
 * What was asked for, else what the vote was begun with. A line of it is kept in `links`, for this comparison alone.
 * @param links the file of the secret
 * @throws ClhaError (exit 2) where ballots of the other mode stand
 */
export function openSetup(links: string, comparison: Comparison, asked: Partial<VoteSetup>): VoteSetup {
  const kept = keptSetup(links, comparison.header.hash)
  const voted = votedMode(comparison)
  if (voted !== undefined && asked.mode !== undefined && asked.mode !== voted) {
    throw voted === 'rank'
      ? usageError(`${comparison.path}: its votes rank all answers, not two at a time`, 'go on with --rank')
      : usageError(
          `--rank: the votes in ${comparison.path} compare two answers at a time`,
          'leave --rank out, or begin another file: --output',
        )
  }
  const setup = {
    mode: voted ?? asked.mode ?? kept?.mode ?? USUAL.mode,
    repeats: asked.repeats ?? kept?.repeats ?? USUAL.repeats,
  }
  if (setup.mode !== kept?.mode || setup.repeats !== kept.repeats)
    appendFileSync(links, `${JSON.stringify({ comparison: comparison.header.hash, ...setup })}\n`)
  return setup
}

/** Of the ballots that stand. Ranking can go on from pairs, not pairs from ranking: where there are both, it ranks. */
function votedMode({ rows, items }: Comparison): VoteMode | undefined {
  const settings = new Set(givenBallots(rows, items).map(({ rows: [first] }) => first.settings))
  return (['rank', 'pair'] as const).find((mode) => settings.has(settingsOf(mode)))
}

const keptShape = z.object({
  comparison: z.string(),
  mode: z.enum(MODES),
  repeats: z.number().min(0).max(0.5),
})

/** The last one of the comparison. */
function keptSetup(links: string, comparison: string): VoteSetup | undefined {
  const lines = existsSync(links) ? readFileSync(links, 'utf8').split('\n').slice(1) : []
  return lines.flatMap(setupOf).findLast((setup) => setup.comparison === comparison)
}

/** A line that a kill cut short says nothing. */
function setupOf(line: string): z.output<typeof keptShape>[] {
  try {
    return [keptShape.parse(JSON.parse(line))]
  } catch {
    return []
  }
}
