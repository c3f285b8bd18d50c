/** The comparison on disk: every answer, and every scorer's verdict; people and judges add theirs to the same file. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Prompt, promptKey } from '../../dialogue.js'
import { TIE } from '../../evaluate/compare.js'
import { sha256 } from '../../files/digest.js'
import { takeLock } from '../../runs/lock.js'
import type { AnsweredSystem, ScoredSystem } from '../../stations/evaluate/evaluation.js'
import type { NamedScorer } from '../../stations/evaluate/named-scorers.js'
import { winOf } from '../../statistics/agreement.js'
import {
  type ComparisonLog,
  openComparison,
  otherComparison,
  readComparison,
} from '../../verdicts/comparison-file.js'
import { answerHash } from '../../verdicts/shapes.js'
import type { ComparisonItem, VerdictRow } from '../../verdicts/types.js'

export interface Recorded {
  prompts: readonly Prompt[]
  sources: readonly string[]
  /** The baseline first. */
  systems: readonly Pick<AnsweredSystem, 'name' | 'answers'>[]
}

export interface OpenRecord {
  path: string
  items: ComparisonItem[]
  log: ComparisonLog
}

const pathIn = (dir: string): string => join(dir, 'comparison.jsonl')
const itemOf = (prompt: Prompt): string => promptKey(prompt).slice(0, 16)
const nameOf = (systems: readonly string[]): string => systems.join(' or ')

/**
 * Looks at what can be known before a model answers: whether the folder holds a comparison of other prompts or systems.
 * @throws ClhaError (exit 2) where it does, and as `readComparison`
 */
export function refuseOther(dir: string, prompts: readonly Prompt[], systems: readonly string[]): void {
  const path = pathIn(dir)
  if (!existsSync(path)) return
  const { header, items } = readComparison(path)
  const wanted = JSON.stringify(prompts.map((prompt) => [itemOf(prompt), ...systems]))
  const found = items.map(({ item, answers }) => [item, ...answers.map(({ system }) => system)])
  if (JSON.stringify(found) !== wanted)
    throw otherComparison(path, header, { name: nameOf(systems), items: prompts.length })
}

/** Opens the file, or makes it, before anything is scored. @throws ClhaError as `openComparison` */
export function openRecord(dir: string, { prompts, sources, systems }: Recorded): OpenRecord {
  const path = pathIn(dir)
  const items = prompts.map((prompt, i) => ({
    item: itemOf(prompt),
    prompt,
    source: sources[i],
    answers: systems.map(({ name, answers }) => {
      const { text } = answers[i]
      return { system: name, answer: answerHash(text), text }
    }),
  }))
  const name = nameOf(systems.map((system) => system.name))
  return { path, items, log: openComparison(path, items, { name, lock: takeLock }) }
}

/**
 * Appends the verdicts of scorers that the file lacks.
 * @param scored the baseline first
 * @param scorers which reward model or server a name means
 */
export function recordScores(
  { items, log }: OpenRecord,
  scored: readonly ScoredSystem[],
  scorers: readonly NamedScorer[],
): void {
  const key = ({ rater, item, systems, settings: own }: VerdictRow) =>
    [rater, item, ...systems, own].join('\n')
  const known = new Set(log.comparison.rows.map(key))
  const at = new Date().toISOString()
  const settings = Object.fromEntries(scorers.map(({ name, path }) => [name, path]))
  log.append(...rowsOf(scored, items, { settings, at }).filter((row) => !known.has(key(row))))
}

function rowsOf(
  scored: readonly ScoredSystem[],
  items: readonly ComparisonItem[],
  { settings, at }: { settings: Readonly<Record<string, string>>; at: string },
): VerdictRow[] {
  const [baseline, ...others] = scored
  return others.flatMap((system) =>
    Object.keys(system.rewards).flatMap((scorer) =>
      items.map((item, i): VerdictRow => {
        const grade = [system.rewards[scorer][i], baseline.rewards[scorer][i]] as const
        const score = winOf(grade[0] - grade[1], TIE)
        return {
          item: item.item,
          prompt: promptKey(item.prompt),
          a: answerHash(system.texts[i]),
          b: answerHash(baseline.texts[i]),
          shown: 'ab',
          verdict: score === 1 ? 'a' : score === 0 ? 'b' : 'tie',
          grade,
          rater: scorer,
          kind: 'reward',
          systems: [system.name, baseline.name],
          settings: sha256(JSON.stringify(['reward', settings[scorer] ?? scorer])),
          at,
        }
      }),
    ),
  )
}
