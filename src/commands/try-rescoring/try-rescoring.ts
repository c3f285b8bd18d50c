/** `clha try-rescoring`: labels that are believed are reversed on purpose, to see what rescoring would do. */
import { join } from 'node:path'
import { setImmediate as yieldToLoop } from 'node:timers/promises'
import { corpusOf, type ScoredCorpus, where } from '../../data/corpus.js'
import { isLabelled } from '../../data/example.js'
import { usageError } from '../../errors.js'
import { writeWhole } from '../../files/whole.js'
import { requireCalibratable } from '../../rescore/rescore.js'
import { type Believed, type NoiseTrial, tryNoise } from '../../rescore/try-noise.js'
import { inOutputDir } from '../../session/claim.js'
import { required } from '../../session/needs.js'
import { type Session, withSession } from '../../session/session.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount } from '../../show/units.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { loadData } from '../../stations/read/load-data.js'
import { keptScores } from '../../stations/score/kept-scores.js'
import { numberOf } from '../own-flags.js'
import type { Pipeline } from '../pipeline-spec.js'
import type { NoiseCell } from './noise-cell.js'
import { sayCells } from './say-trials.js'

const LEVELS = [0, 0.1, 0.25, 0.4]
const DOUBLES = [0, 100]

export interface TryRescoringResult {
  outputDir: string
  cells: NoiseCell[]
}

export const tryRescoring = ({ repeats = 4 }: Record<string, unknown>): Pipeline<TryRescoringResult> => {
  const seeds = numberOf('--repeats', repeats, { least: 1, most: 100 })
  return withSession((session) => inOutputDir(session.options, false, () => tryIn(session, seeds)))
}

async function tryIn(session: Session, seeds: number): Promise<TryRescoringResult> {
  const { ui, options } = session
  if (options.mode === 'legacy') throw usageError('mode: legacy looks at no label', 'take the default mode')
  const { examples } = await loadData(session, required(options, 'trainDataset'), 2)
  requireCalibratable(examples, rescoreOptions(options))
  const scored = await keptScores(session, corpusOf(examples))
  const labelled = where(scored, isLabelled)
  const scorers = scorersOf(labelled)
  ui.line(
    `${amount(labelled.examples.length, 'list')} with labels that are taken for right · each trial ${amount(seeds, 'time')}`,
  )
  const bar = ui.progress(scorers.length * DOUBLES.length * LEVELS.length * seeds, 'rescoring', 'trials')
  const cells: NoiseCell[] = []
  for (const secondLabels of DOUBLES) {
    for (const { name, ...data } of scorers) {
      for (const level of LEVELS) {
        const trials: NoiseTrial[] = []
        for (let seed = 0; seed < seeds; seed++) {
          throwIfStopped(session)
          const believed = { ...data, options: rescoreOptions(options) }
          trials.push(tryNoise(believed, { level, doubles: secondLabels, seed: options.seed + seed }))
          bar.update(cells.length * seeds + seed + 1)
          // Lets a signal through.
          await yieldToLoop()
        }
        cells.push({ scorer: name, level, secondLabels, trials })
      }
    }
  }
  bar.done()
  for (const secondLabels of DOUBLES)
    sayCells(
      ui,
      cells.filter((cell) => cell.secondLabels === secondLabels),
    )
  const path = join(options.outputDir, 'trials.json')
  writeWhole(path, `${JSON.stringify({ seeds, cells }, null, 2)}\n`)
  ui.line(`trials   ${path}`)
  return { outputDir: options.outputDir, cells }
}

type Scorer = Omit<Believed, 'options'> & { name: string }

/** Each alone, and all together where there are several. */
function scorersOf({ examples, rewards, scores }: ScoredCorpus): Scorer[] {
  if (!scores) return [{ name: 'reward', examples, rewards }]
  const alone = Object.keys(scores[0]).map((name) => ({
    name,
    examples,
    rewards: scores.map((one) => [...one[name]]),
  }))
  return [...alone, { name: 'all, weighed', examples, rewards, scores }]
}
