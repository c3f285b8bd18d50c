/** Strengths of systems from verdicts on pairs of them, by maximum likelihood, with intervals of their differences. */
import { type ClusteredEstimate, type Clusters, clusteredEstimate } from '../clustered.js'
import { type ContestLoss, type RowLoss, raoKupper, tiesAsHalves } from './contest-likelihood.js'
import { type Curvature, minimize } from './newton.js'
import { cholesky, solveFactored } from './positive-definite.js'

export interface Contest {
  /** Numbers of the systems, from 0. */
  a: number
  b: number
  /** 1 where `a` won, 0 where `b` did, one half for a tie. */
  score: number
  /** 1 where `a` stood first, -1 where `b` did; 0 where nobody knows. */
  slot?: number
  /** What else may please, of `a` minus of `b`: length, lists … */
  style?: readonly number[]
}

export interface BradleyTerryOptions {
  /** `half`: a tie is half a win of each; `rao_kupper`: ties have a width of their own. */
  ties?: 'half' | 'rao_kupper'
  /** Fit what standing first is worth. */
  slot?: boolean
}

export interface BradleyTerryFit {
  /** In logits; each group sums to 0. */
  strengths: Float64Array
  /** Logits that standing first adds; where it was asked for. */
  slot?: number
  /** Logits a unit of each style term. */
  style: Float64Array
  /** Rao and Kupper's eta; 0 without ties. */
  tieWidth: number
  logLikelihood: number
  /** 0, or what pulls strengths to 0 because someone never lost, or never won. */
  ridge: number
  /** Systems that were compared, directly or through others, have one number; others can't be told apart. */
  groups: number[]
  /** Interval of a sum of parameters; strengths, slot, style, tie width in this order. */
  interval(weights: readonly number[], clusters: Clusters): ClusteredEstimate
  /** Standard error of a sum of parameters as if all verdicts were independent: the inverse of the information. */
  independentError(weights: readonly number[]): number
  /** Strength of `a` minus strength of `b`. undefined where they are in different groups. */
  difference(a: number, b: number, clusters: Clusters): ClusteredEstimate | undefined
}

/** As if each strength had been drawn with a standard deviation of one logit. */
const RIDGE = 1

/**
 * Fits P(a beats b) = sg(strength_a - strength_b + slot + style), strengths in logits. Variances are the two-way
 * clustered sandwich's H^-1 B H^-1; with a ridge never below H^-1 times the verdicts a prompt.
 * @param systems how many there are
 * @throws RangeError without contests
 */
export function bradleyTerry(
  contests: readonly Contest[],
  systems: number,
  { ties = 'half', slot = false }: BradleyTerryOptions = {},
): BradleyTerryFit {
  if (contests.length === 0) throw new RangeError('bradleyTerry: no contests')
  const groups = groupsOf(contests, systems)
  const design = designOf(contests, systems, slot)
  const width = ties === 'rao_kupper' && contests.some(({ score }) => score === 0.5)
  const loss = ties === 'rao_kupper' ? raoKupper : tiesAsHalves
  const size = design.size + Number(width)
  const fitWith = (ridge: number) => {
    const model = { contests, design, loss, width, groups, ridge, size }
    const start = new Float64Array(size)
    if (width) start[size - 1] = 0.5
    return { model, ...minimize(start, (x) => curvature(model, x)) }
  }
  const separated = !everyoneLoses(contests, systems, groups)
  const plain = separated ? undefined : fitWith(0)
  const settled = plain?.converged && contests.every((_, i) => Math.abs(lead(design, i, plain.at)) < LARGEST)
  return resultOf(plain && settled ? plain : fitWith(RIDGE))
}

/** No verdicts tell of a lead this large; a fit that goes there, with whichever of its terms, has no maximum. */
const LARGEST = 15

/** The terms of z, `stride` a row: which parameter, times what. */
interface Design {
  index: Int32Array
  times: Float64Array
  stride: number
  systems: number
  /** Parameters but the tie width. */
  size: number
  slot: boolean
}

function designOf(contests: readonly Contest[], systems: number, slot: boolean): Design {
  const styles = contests[0].style?.length ?? 0
  const stride = 2 + Number(slot) + styles
  const index = new Int32Array(contests.length * stride)
  const times = new Float64Array(contests.length * stride)
  contests.forEach(({ a, b, slot: place = 0, style = [] }, i) => {
    const terms = [[a, 1], [b, -1], ...(slot ? [[systems, place]] : [])]
    style.forEach((x, k) => {
      terms.push([systems + Number(slot) + k, x])
    })
    terms.forEach(([parameter, factor], k) => {
      index[i * stride + k] = parameter
      times[i * stride + k] = factor
    })
  })
  return { index, times, stride, systems, size: systems + Number(slot) + styles, slot }
}

interface Model {
  contests: readonly Contest[]
  design: Design
  loss: ContestLoss
  /** The last parameter is eta. */
  width: boolean
  groups: readonly number[]
  ridge: number
  size: number
}

const rowLoss = (): RowLoss => ({ value: 0, z: 0, eta: 0, zz: 0, zEta: 0, etaEta: 0 })

function lead({ index, times, stride }: Design, row: number, x: Float64Array): number {
  let z = 0
  for (let k = row * stride; k < (row + 1) * stride; k++) z += times[k] * x[index[k]]
  return z
}

/** Negative log-likelihood with what makes the minimum unique: each group sums to 0, and the ridge. */
function curvature(model: Model, x: Float64Array): Curvature {
  const { contests, design, loss, width, size } = model
  const { index, times, stride } = design
  const gradient = new Float64Array(size)
  const hessian = Array.from({ length: size }, () => new Float64Array(size))
  const eta = width ? x[size - 1] : 0
  const row = rowLoss()
  let value = width && eta <= 0 ? Number.POSITIVE_INFINITY : 0
  for (let i = 0; i < contests.length; i++) {
    loss(contests[i].score, lead(design, i, x), eta, row)
    value += row.value
    for (let k = i * stride; k < (i + 1) * stride; k++) {
      gradient[index[k]] += row.z * times[k]
      for (let l = i * stride; l < (i + 1) * stride; l++)
        hessian[index[k]][index[l]] += row.zz * times[k] * times[l]
      if (width) {
        hessian[index[k]][size - 1] += row.zEta * times[k]
        hessian[size - 1][index[k]] += row.zEta * times[k]
      }
    }
    if (width) {
      gradient[size - 1] += row.eta
      hessian[size - 1][size - 1] += row.etaEta
    }
  }
  return pinned(model, x, { value, gradient, hessian })
}

function pinned({ groups, ridge, design }: Model, x: Float64Array, { value, gradient, hessian }: Curvature) {
  let total = value
  for (let a = 0; a < groups.length; a++) {
    const sum = groups.reduce((s, group, b) => (group === groups[a] ? s + x[b] : s), 0)
    gradient[a] += sum
    total += (x[a] * sum) / 2
    for (let b = 0; b < groups.length; b++) if (groups[b] === groups[a]) hessian[a][b] += 1
  }
  // The tie width needs no ridge: there are ties where it is fitted.
  for (let k = 0; k < design.size; k++) {
    gradient[k] += ridge * x[k]
    hessian[k][k] += ridge
    total += (ridge * x[k] ** 2) / 2
  }
  return { value: total, gradient, hessian }
}

function resultOf({ model, at, hessian }: { model: Model; at: Float64Array; hessian: Float64Array[] }) {
  const { design, groups, ridge, width, size, contests } = model
  const { systems, slot } = design
  const factor = cholesky(hessian)
  if (!factor) throw new RangeError('bradleyTerry: two terms say the same')
  const directed = (weights: readonly number[]) => {
    const padded = Float64Array.from({ length: size }, (_, k) => weights[k] ?? 0)
    const direction = solveFactored(factor, padded)
    return { padded, direction, variance: product(padded, direction) }
  }
  const interval = (weights: readonly number[], clusters: Clusters): ClusteredEstimate => {
    const { padded, direction, variance } = directed(weights)
    const least = ridge > 0 ? (variance * contests.length) / clusters.prompt.count : 0
    return clusteredEstimate(product(padded, at), influenceOf(model, at, direction), clusters, least)
  }
  const unit = (a: number, b: number) =>
    Array.from({ length: systems }, (_, k) => Number(k === a) - Number(k === b))
  return {
    strengths: at.slice(0, systems),
    ...(slot && { slot: at[systems] }),
    style: at.slice(systems + Number(slot), design.size),
    tieWidth: width ? at[size - 1] : 0,
    logLikelihood: -contests.reduce((sum, _, i) => sum + lossAt(model, at, i).value, 0),
    ridge,
    groups: [...groups],
    interval,
    independentError: (weights: readonly number[]) => Math.sqrt(directed(weights).variance),
    difference: (a: number, b: number, clusters: Clusters) =>
      groups[a] === groups[b] ? interval(unit(a, b), clusters) : undefined,
  }
}

const product = (a: Float64Array, b: Float64Array): number => a.reduce((sum, x, k) => sum + x * b[k], 0)

const shared = rowLoss()

function lossAt({ contests, design, loss, width, size }: Model, at: Float64Array, i: number): RowLoss {
  loss(contests[i].score, lead(design, i, at), width ? at[size - 1] : 0, shared)
  return shared
}

/** What each row moves a sum of parameters by: -direction' s, with direction = H^-1 weights. */
function influenceOf(model: Model, at: Float64Array, direction: Float64Array): Float64Array {
  const { design, width, size, contests } = model
  return Float64Array.from(contests, (_, i) => {
    const row = lossAt(model, at, i)
    return -row.z * lead(design, i, direction) - (width ? row.eta * direction[size - 1] : 0)
  })
}

/** Numbers from 0: systems between which there is a chain of contests. */
function groupsOf(contests: readonly Contest[], systems: number): number[] {
  const reach = reachable(contests, systems, () => true)
  const groups: number[] = []
  let next = 0
  for (let a = 0; a < systems; a++) {
    const known = groups.findIndex((_, b) => reach[a][b])
    groups.push(known >= 0 ? groups[known] : next++)
  }
  return groups
}

/** Whether each system beat each other of its group, directly or through others; else there is no maximum (Ford 1957). */
function everyoneLoses(contests: readonly Contest[], systems: number, groups: readonly number[]): boolean {
  const beats = reachable(contests, systems, (score) => score > 0)
  return groups.every((group, a) => groups.every((other, b) => a === b || other !== group || beats[a][b]))
}

/** Chains of contests from a to b; those in which b or a `counts` as winner are steps. */
function reachable(contests: readonly Contest[], systems: number, counts: (score: number) => boolean) {
  const reach = Array.from({ length: systems }, () => new Array<boolean>(systems).fill(false))
  for (const { a, b, score } of contests) {
    if (counts(score)) reach[a][b] = true
    if (counts(1 - score)) reach[b][a] = true
  }
  for (let via = 0; via < systems; via++)
    for (let a = 0; a < systems; a++)
      if (reach[a][via]) for (let b = 0; b < systems; b++) if (reach[via][b]) reach[a][b] = true
  return reach
}
