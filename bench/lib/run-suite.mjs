// One suite: its contenders started, taken in turn round by round, and its rows made of their rates.
import { join } from 'node:path'
import { startContender } from './contender.mjs'
import { waitForQuiet } from './machine.mjs'
import { configOf } from './models.mjs'
import { root } from './product.mjs'
import { median, ratioOf } from './stats.mjs'

/**
 * @param context.data, .python, .threads, .rounds, .vocabulary, .threshold (cores), .limit (seconds)
 * @returns rows with ratios, and every round as it was measured
 */
export async function runSuite(suite, context) {
  const running = []
  const failed = new Map()
  for (const contender of suite.contenders) {
    if (contender.script && !context.python) {
      failed.set(contender.name, 'needs --python')
      continue
    }
    context.say(`${suite.name}: ${contender.name} gets ready`)
    await startContender(contender.name, commandOf(contender, context), contender.env)
      .then((started) => running.push(started))
      .catch((error) => failed.set(contender.name, error.message))
  }
  const measured = new Map(running.map(({ name }) => [name, []]))
  for (let index = 0; index < context.rounds; index++) {
    // Nobody is always first: each round begins one further on.
    const order = running.map((_, i) => running[(i + index) % running.length])
    for (const contender of order) {
      if (failed.has(contender.name)) continue
      const { quiet, cores } = await waitForQuiet(context.threshold, context.limit)
      context.say(`${suite.name}: round ${index + 1}, ${contender.name}`)
      await contender
        .round(index)
        .then((result) => measured.get(contender.name).push({ ...result, quiet, before: cores, index }))
        .catch((error) => failed.set(contender.name, error.message))
    }
  }
  await Promise.all(running.map((contender) => contender.stop()))
  const rounds = Object.fromEntries(measured)
  for (const name of differing(rounds))
    failed.set(name, 'another loss than ours: it does not compute the same')
  const contenders = suite.contenders.map(({ name }) => summary(name, rounds[name] ?? [], failed.get(name)))
  return { ...pick(suite), contenders, rows: suite.rows.map((row) => rowOf(row, rounds, failed)), rounds }
}

/** Contenders of our own that say a loss take the same steps, so their losses agree to rounding. */
function differing({ clha = [], ...others }) {
  const loss = new Map(clha.map((r) => [r.index, r.loss]))
  return Object.keys(others).filter((name) =>
    others[name].some((r) => {
      const expected = loss.get(r.index)
      return (
        r.loss !== undefined &&
        expected !== undefined &&
        Math.abs(r.loss - expected) > 1e-3 * Math.abs(expected)
      )
    }),
  )
}

const pick = ({ name, title, unit }) => ({ name, title, unit })

function commandOf({ worker, script, spec }, { data, files, python, threads, rounds, vocabulary }) {
  const common = { data, threads, rounds }
  if (worker)
    return [process.execPath, join(root, 'bench/worker.mjs'), JSON.stringify({ ...common, files, ...worker })]
  const config = configOf(spec.size, vocabulary)
  return [python, join(root, 'bench/peers', script), JSON.stringify({ ...common, config, ...spec })]
}

/** What a round gave: items a second, or the value that it measured. */
const rateOf = ({ value, items, wall }) => value ?? items / wall

function summary(name, rounds, failure) {
  if (rounds.length === 0) return { name, failure: failure ?? 'no round ended' }
  return {
    name,
    rate: median(rounds.map(rateOf)),
    peakMiB: Math.max(...rounds.map((r) => r.peakMiB)),
    system: median(rounds.map((r) => r.system / Math.max(r.cpu, 1e-9))),
    foreign: Math.max(...rounds.map((r) => r.foreign ?? 0)),
    failure,
  }
}

function rowOf(row, rounds, failed) {
  const own = rounds.clha ?? []
  if (row.most !== undefined) {
    if (own.length === 0) return { ...row, failure: failed.get('clha') }
    const values = own.map(rateOf)
    const value = median(values)
    const spread = { low: Math.min(...values), high: Math.max(...values), rounds: values.length }
    return { ...row, value, ...spread, met: value <= row.most }
  }
  const other = rounds[row.theirs] ?? []
  if (failed.get(row.theirs)?.startsWith('another loss')) return { ...row, failure: failed.get(row.theirs) }
  const ratio = ratioOf(own.map(rateOf), other.map(rateOf))
  if (!ratio) return { ...row, failure: failed.get(row.theirs) ?? failed.get('clha') }
  // Processor time hardly feels what else runs: the figure to look at where the machine was not quiet.
  const work = (list) => list.map(({ items, cpu }) => items / cpu)
  const byProcessor = ratioOf(work(own), work(other)).ratio
  const peak = (list) => Math.max(...list.map((r) => r.peakMiB))
  const memoryRatio = peak(own) / peak(other)
  const met = row.goal === undefined ? undefined : ratio.ratio >= row.goal
  return {
    ...row,
    ...ratio,
    byProcessor,
    met,
    memoryRatio,
    memoryMet: row.memory && memoryRatio <= row.memory,
  }
}
