/** The comparison on disk: every answer, and every scorer's verdict; people and judges add theirs to the same file. */
import { join } from 'node:path'
import { type Prompt, promptKey } from '../../dialogue.js'
import { TIE } from '../../evaluate/compare.js'
import { sha256 } from '../../files/digest.js'
import { takeLock } from '../../runs/lock.js'
import type { JudgedSystem } from '../../stations/judge/evaluation.js'
import { winOf } from '../../statistics/agreement.js'
import { openComparison, readComparison } from '../../verdicts/comparison-file.js'
import { answerHash } from '../../verdicts/shapes.js'
import type { Comparison, ComparisonItem, VerdictRow } from '../../verdicts/types.js'

export interface Recorded {
  prompts: readonly Prompt[]
  sources: readonly string[]
  /** The baseline first. */
  judged: readonly JudgedSystem[]
  /** Which reward model a scorer's name means. */
  settings: Readonly<Record<string, string>>
  /** ISO 8601. */
  now: string
}

/** Writes the items, and of the scorers' verdicts those that the file lacks. @throws ClhaError as `openComparison` */
export function recordComparison(dir: string, recorded: Recorded): Comparison {
  const path = join(dir, 'comparison.jsonl')
  const items = itemsOf(recorded)
  const name = recorded.judged.map((system) => system.name).join(' or ')
  const log = openComparison(path, items, { name, lock: takeLock })
  try {
    const key = ({ rater, item, systems, settings }: VerdictRow) =>
      [rater, item, ...systems, settings].join('\n')
    const known = new Set(log.comparison.rows.map(key))
    log.append(...rowsOf(recorded, items).filter((row) => !known.has(key(row))))
  } finally {
    log.close()
  }
  return readComparison(path)
}

const itemsOf = ({ prompts, sources, judged }: Recorded): ComparisonItem[] =>
  prompts.map((prompt, i) => ({
    ...{ item: promptKey(prompt).slice(0, 16), prompt, source: sources[i] },
    answers: judged.map(({ name, texts }) => ({
      system: name,
      answer: answerHash(texts[i]),
      text: texts[i],
    })),
  }))

function rowsOf({ judged, settings, now }: Recorded, items: readonly ComparisonItem[]): VerdictRow[] {
  const [baseline, ...others] = judged
  return others.flatMap((system) =>
    Object.keys(system.rewards).flatMap((scorer) =>
      items.map((item, i): VerdictRow => {
        const grade = [system.rewards[scorer][i], baseline.rewards[scorer][i]] as const
        const score = winOf(grade[0] - grade[1], TIE)
        return {
          ...{ item: item.item, prompt: promptKey(item.prompt) },
          ...{ a: answerHash(system.texts[i]), b: answerHash(baseline.texts[i]), shown: 'ab' },
          verdict: score === 1 ? 'a' : score === 0 ? 'b' : 'tie',
          ...{ grade, rater: scorer, kind: 'reward', systems: [system.name, baseline.name] },
          ...{ settings: sha256(JSON.stringify(['reward', settings[scorer] ?? scorer])), at: now },
        }
      }),
    ),
  )
}
