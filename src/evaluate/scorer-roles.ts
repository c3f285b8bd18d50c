/** Scorers that have a part in a report, and what it calls them. Others go by the names that they were given. */

/** The most trusted first: the truth, one that training never saw, that of the training. */
export const SCORER_ROLES = [
  { name: 'true', column: 'trueReward', who: 'the true reward', metric: 'true reward' },
  { name: 'second', column: 'secondReward', who: 'the second reward model', metric: 'second reward' },
  { name: 'reward', column: 'reward', who: 'the reward model', metric: 'training reward' },
] as const

export type ScorerRole = (typeof SCORER_ROLES)[number]

/** How a report speaks of a scorer. */
export const whoIs = (scorer: string): string =>
  SCORER_ROLES.find(({ name }) => name === scorer)?.who ?? `reward model ${scorer}`

/** The most trusted role that there is. */
export const bestRole = (has: (name: string) => boolean): ScorerRole | undefined =>
  SCORER_ROLES.find(({ name }) => has(name))

/** Names by trust. Scorers without a role stand before that of the training, in their own order. */
export function byTrust(names: readonly string[]): string[] {
  const roles: readonly string[] = SCORER_ROLES.map(({ name }) => name)
  const others = names.filter((name) => !roles.includes(name))
  return roles.flatMap((role) => [
    ...(role === 'reward' ? others : []),
    ...names.filter((name) => name === role),
  ])
}
