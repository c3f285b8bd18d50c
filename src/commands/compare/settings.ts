/** What differs in the settings of runs. */
import type { ComparisonReport } from '../../report/types.js'
import type { ComparedSystem } from './systems.js'

/** Where a run lies and what it is called says nothing of how it was trained. */
const OF_THE_PLACE = new Set([
  'output_dir',
  'resume_from_checkpoint',
  'report_to',
  'threads',
  'score_cache_dir',
])

/** Keys whose values are not the same in all systems that have settings; nothing of fewer than two. */
export function settingsDifferences(systems: readonly ComparedSystem[]): ComparisonReport['settings'] {
  const known = systems.filter(({ settings }) => settings !== undefined)
  if (known.length < 2) return []
  const keys = [...new Set(known.flatMap(({ settings }) => Object.keys(settings ?? {})))].sort()
  return keys.flatMap((key) => {
    if (OF_THE_PLACE.has(key)) return []
    const values = systems.map(({ settings }) => shown(settings?.[key]))
    const own = known.map(({ settings }) => shown(settings?.[key]))
    return new Set(own).size > 1 ? [{ key, values }] : []
  })
}

const shown = (value: unknown): string | null =>
  value === undefined || value === null ? null : typeof value === 'string' ? value : JSON.stringify(value)
