/** How many pairs and test prompts each source of the data has. */
import type { Example } from '../../data/example.js'

export function gatherSources(train: readonly Example[], test: readonly Example[]) {
  const names = [...new Set([...train, ...test].map((e) => e.source))].sort()
  const of = (list: readonly Example[], source: string) => list.filter((e) => e.source === source).length
  return names.map((source) => ({ source, pairs: of(train, source), testPrompts: of(test, source) }))
}
