/** Which of several scorers should not be among them. */
import { percent } from '../../show/units.js'
import { type AuditWarning, LENGTH_DRIVEN } from '../audit-warnings.js'
import type { ScorerAudit } from './combine.js'

/** Nats that chance alone gives in 1 of 20 cases: half of the 95 % quantile of chi-squared with one degree of freedom. */
const CHANCE = 1.92

/** At most one warning a scorer, the worst. */
export const scorerWarnings = (scorers: readonly ScorerAudit[]): AuditWarning[] =>
  scorers.flatMap((one) => turnedRound(one) ?? lengthInDisguise(one) ?? idle(one) ?? [])

function turnedRound({ name, agreement }: ScorerAudit): AuditWarning | undefined {
  if (agreement.share === null || agreement.interval[1] >= 0.5) return undefined
  return {
    code: 'reversed_reward',
    message: `${name} prefers the other answer in ${percent(1 - agreement.share)} of ${agreement.total} labels: its sign is reversed. It counts for nothing.`,
    hint: 'Turn its rewards round if they are costs, or leave it out.',
  }
}

/** Its gaps are those of length, or what it says of labels length says already. */
function lengthInDisguise({ name, agreement, length, addsToLength }: ScorerAudit): AuditWarning | undefined {
  const driven = length !== null && Math.abs(length) >= LENGTH_DRIVEN
  const tells = agreement.interval[0] > 0.5
  if (!driven && !(tells && addsToLength < CHANCE)) return undefined
  return {
    code: 'length_reward',
    message: `${name} is length in disguise (correlation ${(length ?? 0).toFixed(2)} within pairs): beside length it tells ${addsToLength < CHANCE ? 'nothing' : 'little'} of the labels.`,
    hint: 'Leave it out: what labels owe to length is not counted for any scorer.',
  }
}

function idle({ name, adds, weight }: ScorerAudit): AuditWarning | undefined {
  if (adds >= CHANCE) return undefined
  return {
    code: 'idle_scorer',
    message: `${name} adds nothing to the other scorers that these labels could show (weight ${percent(weight)}).`,
    hint: 'Leave it out: it costs time, and may bring noise.',
  }
}
