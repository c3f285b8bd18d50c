// One suite: its contenders take turns, and rows are made of their rates.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { startContender } from './contender.mjs'
import { waitForQuiet } from './machine.mjs'
import { configOf } from './models.mjs'
import { root } from './product.mjs'
import { rateOf, rowOf } from './rows.mjs'
import { median } from './stats.mjs'
import { takeTurns } from './turns.mjs'

/**
 * @param context.data, .python, .swiftPython, .threads, .rounds, .vocabulary, .device, .threshold (cores), .limit (seconds)
 * @returns rows with ratios, and every round as it was measured
 */
export async function runSuite(suite, context) {
  const { rounds: count, device, say } = context
  const gpu = device !== 'cpu'
  const leftOut = suite.contenders.filter((c) => c.needs && !hasModule(pythonOf(c, context), c.needs))
  const possible = suite.contenders.filter((c) => !leftOut.includes(c))
  const hands = {
    start: (contender) => startContender(contender.name, commandOf(contender, context), contender.env),
    async wait() {
      const { quiet, cores } = await waitForQuiet(context.threshold, context.limit)
      return { quiet, before: cores }
    },
    say: (line) => say(`${suite.name}: ${line}`),
  }
  const missing = possible.filter((c) => c.script && !pythonOf(c, context))
  const present = possible.filter((c) => !missing.includes(c))
  // Models that fill a GPU don't stand side by side.
  const turns = { rounds: count, apart: gpu || suite.apart }
  const { measured: rounds, ready, failed } = await takeTurns(present, turns, hands)
  for (const { name } of missing) failed.set(name, 'needs --python')
  for (const name of differing(present, rounds))
    failed.set(name, 'another loss than ours: it does not compute the same')
  const { name, title, unit } = suite
  return {
    name,
    title,
    unit,
    gpu,
    contenders: possible.map((c) => summary(c.name, rounds[c.name] ?? [], failed.get(c.name))),
    leftOut: leftOut.map((c) => `${c.name}: the Python has no module ${c.needs}`),
    rows: suite.rows
      .filter((row) => !leftOut.some((c) => c.name === row.theirs))
      .map((row) => rowOf(row, rounds, failed)),
    ready,
    rounds,
  }
}

const pythonOf = ({ needs }, { python, swiftPython }) => (needs === 'swift' && swiftPython) || python

const FIND_MODULE = 'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)'
const hasModule = (python, module) =>
  python !== undefined && spawnSync(python, ['-c', FIND_MODULE, module]).status === 0

/**
 * Contenders of our own that say a loss take the same steps, so their losses agree to rounding; those with numbers of another
 * type are not compared.
 */
function differing(contenders, rounds) {
  const loss = new Map(rounds.clha?.map((r) => [r.index, r.loss]))
  const { worker: first } = contenders.find(({ name }) => name === 'clha')
  const alike = contenders.filter(({ name, worker }) => name !== 'clha' && worker?.dtype === first.dtype)
  const differs = (r) => {
    const expected = loss.get(r.index)
    return (
      r.loss !== undefined &&
      expected !== undefined &&
      Math.abs(r.loss - expected) > 1e-3 * Math.abs(expected)
    )
  }
  return alike.filter(({ name }) => rounds[name]?.some(differs)).map(({ name }) => name)
}

/** Program and arguments; the last is the spec as JSON. */
export function commandOf(contender, context) {
  const { data, files, threads, rounds, vocabulary, device } = context
  const { worker, script, spec } = contender
  const common = { data, threads, rounds, device }
  if (worker)
    return [process.execPath, join(root, 'bench/worker.mjs'), JSON.stringify({ ...common, files, ...worker })]
  const config = configOf(spec.size, vocabulary)
  const python = pythonOf(contender, context)
  return [python, join(root, 'bench/peers', script), JSON.stringify({ ...common, config, ...spec })]
}

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
