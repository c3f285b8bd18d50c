/** Several scorers' rewards as one: weighed by what labels say of them, drawn in where they disagree. */
import type { Example } from '../../data/example.js'
import { labelAgreement, type Proportion } from '../../statistics/agreement.js'
import { mean, orNull, pearson } from '../../statistics/statistics.js'
import { characters } from '../../text/lengths.js'
import type { PooledVotes } from '../votes.js'
import { type Scores, scaledScores } from './mean-scores.js'
import { fitWeights, type ScoredPairs } from './scorer-weights.js'

/** What labels say of one scorer of several. Plain JSON. */
export interface ScorerAudit {
  name: string
  /** Share of the combined log-odds: weights in units of each one's median gap; they add up to 1. */
  weight: number
  /** Labels that its order agrees with. */
  agreement: Proportion
  /** Nats of log-likelihood that are lost without it; 1.92 is the limit of chance (95 %). */
  adds: number
  /** The same beside length alone, without the other scorers. */
  addsToLength: number
  /** Correlation with length in characters within pairs; null where either does not vary. */
  length: number | null
}

export interface Combined {
  /** [examples][candidates], in log-odds as far as labels tell. */
  rewards: number[][]
  scorers: ScorerAudit[]
}

/** Prompts are split so many ways: a pair is weighed by what the labels of other prompts say. */
const FOLDS = 5

/**
 * One reward for each answer. Labels of a prompt have no say in the weights that its own answers get, so that the
 * calibration that follows is not told the labels. Where scorers disagree on a list, its rewards are drawn to their
 * mean: log-odds with variance v are worth 1 / sqrt(1 + pi v / 8) of sure ones (MacKay 1992).
 * @param scores of each example; all name the same scorers, two at least
 * @param labelError e, where it is given
 * @throws ClhaError (usage) where an example lacks a scorer, or one says the same of most answers
 */
export function combineScores(
  examples: readonly Example[],
  scores: readonly Scores[],
  votes: PooledVotes,
  labelError?: number,
): Combined {
  const names = Object.keys(scores[0] ?? {})
  const scaled = scaledScores(examples, scores)
  const table = pairTable(examples, scaled, votes)
  const use = names.map(() => true)
  const weightsOf = Array.from({ length: FOLDS }, (_, fold) => {
    const others = rowsOf(table, (prompt) => prompt % FOLDS !== fold)
    return usable(fitWeights(others, { use, labelError }).weights)
  })
  const rewards = scaled.map((columns, i) => combined(columns, weightsOf[votes.prompts[i] % FOLDS]))
  return { rewards, scorers: scorerAudits({ examples, scores, names, table, labelError }) }
}

/** Characters and prompts beside what is fitted. */
interface PairTable extends ScoredPairs {
  characters: Float64Array
  prompts: Int32Array
}

function pairTable(
  examples: readonly Example[],
  scaled: readonly (readonly (readonly number[])[])[],
  votes: PooledVotes,
): PairTable {
  const rows = examples.flatMap(({ candidates }, i) =>
    votes.byExample[i].flatMap(({ first, second, up, down }, k) => {
      if (votes.repeated[i][k]) return []
      const [one, other] = [first, second].map((at) => characters(candidates[at].text))
      const gaps = scaled[i].map((r) => r[first] - r[second])
      return [
        {
          up,
          down,
          gaps,
          length: Math.log((1 + one) / (1 + other)),
          characters: one - other,
          prompt: votes.prompts[i],
        },
      ]
    }),
  )
  const column = (of: (row: (typeof rows)[number]) => number) => Float64Array.from(rows, of)
  return {
    up: column(({ up }) => up),
    down: column(({ down }) => down),
    weight: column(() => 1),
    gaps: (scaled[0] ?? []).map((_, k) => column(({ gaps }) => gaps[k])),
    length: column(({ length }) => length),
    characters: column((row) => row.characters),
    prompts: Int32Array.from(rows, ({ prompt }) => prompt),
  }
}

function rowsOf(table: PairTable, test: (prompt: number) => boolean): ScoredPairs {
  const pick = (column: Float64Array) => column.filter((_, i) => test(table.prompts[i]))
  const { up, down, weight, gaps, length } = table
  return { up: pick(up), down: pick(down), weight: pick(weight), gaps: gaps.map(pick), length: pick(length) }
}

/** Labels that speak for none of the scorers leave their plain mean. */
const usable = (weights: readonly number[]): number[] =>
  weights.some((w) => w > 0) ? [...weights] : weights.map(() => 1 / weights.length)

function combined(columns: readonly (readonly number[])[], weights: readonly number[]): number[] {
  const sum = columns[0].map((_, a) => weights.reduce((total, w, k) => total + w * columns[k][a], 0))
  const middle = mean(sum)
  const trust = 1 / Math.sqrt(1 + (Math.PI / 8) * disagreement(columns, weights))
  return sum.map((r) => middle + trust * (r - middle))
}

/**
 * Variance of a pair's log-odds, were the scorers drawn at random from those that could be asked; mean over the pairs
 * of a list. Each says what all would say if they agreed with it.
 */
function disagreement(columns: readonly (readonly number[])[], weights: readonly number[]): number {
  const total = weights.reduce((sum, w) => sum + w, 0)
  const shares = weights.map((w) => w / total)
  // Variance of a weighted mean of as many opinions as there are in effect.
  const effective = shares.reduce((sum, p) => sum + p ** 2, 0)
  const variances: number[] = []
  for (let a = 0; a < columns[0].length; a++) {
    for (let b = a + 1; b < columns[0].length; b++) {
      const said = columns.map((r) => total * (r[a] - r[b]))
      const middle = said.reduce((sum, x, k) => sum + shares[k] * x, 0)
      variances.push(effective * said.reduce((sum, x, k) => sum + shares[k] * (x - middle) ** 2, 0))
    }
  }
  return variances.length > 0 ? mean(variances) : 0
}

interface Found {
  examples: readonly Example[]
  scores: readonly Scores[]
  names: readonly string[]
  table: PairTable
  labelError?: number
}

function scorerAudits({ examples, scores, names, table, labelError }: Found): ScorerAudit[] {
  const likelihood = (uses: (k: number) => boolean): number =>
    fitWeights(table, { use: names.map((_, k) => uses(k)), labelError, together: 0 }).value
  const [whole, none] = [likelihood(() => true), likelihood(() => false)]
  const weights = usable(fitWeights(table, { use: names.map(() => true), labelError }).weights)
  const total = weights.reduce((sum, w) => sum + w, 0)
  return names.map((name, k) => {
    return {
      name,
      weight: weights[k] / total,
      agreement: labelAgreement(
        examples.map(({ preferences }) => preferences),
        scores.map((one) => one[name]),
      ),
      adds: Math.max(0, whole - likelihood((j) => j !== k)),
      addsToLength: Math.max(0, likelihood((j) => j === k) - none),
      length: orNull(pearson([...table.gaps[k]], [...table.characters])),
    }
  })
}
