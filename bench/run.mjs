// The benchmark: contenders taken in turn on the machine at hand. `npm run bench -- --help`.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { prepareData } from './lib/data.mjs'
import { hardware, waitForQuiet } from './lib/machine.mjs'
import { suiteLines } from './lib/print.mjs'
import { product } from './lib/product.mjs'
import { runSuite } from './lib/run-suite.mjs'
import { scaling } from './lib/scaling.mjs'
import { isQuick, suites } from './lib/suites.mjs'

const HELP = `npm run bench -- [options]

  --only NAMES      suites, separated by commas; a beginning of a name is enough
  --list            the names
  --quick           one step a round, S alone: a look, not a measurement
  --rounds N        rounds of each suite; 5, or 2 with --quick
  --device NAME     cpu or cuda: suites of a GPU, the first that CUDA_VISIBLE_DEVICES shows; cpu
  --python PATH     a Python with torch, transformers and trl: the peers take part
  --swift-python PATH  one with ms-swift, which needs an older trl; --python
  --json FILE       everything that was measured, for machines
  --scaling         time and memory for five sizes, lengths to 8,192 and lists of 2, 4 and 8; instead of the suites
  --data FOLDER     where hh-rlhf and tokenizers lie; else the starter world is used
  --threads N       threads of every contender; one per core
  --quiet-below N   cores that others may use before a round begins; 0.3
  --wait SECONDS    longest wait for that before each round; 120, or 5 with --quick
`
const { values: given } = parseArgs({
  options: {
    only: { type: 'string' },
    list: { type: 'boolean' },
    quick: { type: 'boolean' },
    rounds: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    python: { type: 'string' },
    'swift-python': { type: 'string' },
    json: { type: 'string' },
    scaling: { type: 'boolean' },
    data: { type: 'string' },
    threads: { type: 'string' },
    'quiet-below': { type: 'string', default: '0.3' },
    wait: { type: 'string' },
    help: { type: 'boolean' },
  },
})

function chosenSuites() {
  const all = suites(given.quick, given.device)
  if (!given.only) return given.quick ? all.filter(isQuick) : all
  const names = given.only.split(',')
  const unknown = names.find((name) => !all.some((suite) => suite.name.startsWith(name)))
  if (unknown)
    throw new Error(`no suite "${unknown}"; there are ${all.map((suite) => suite.name).join(', ')}`)
  return all.filter((suite) => names.some((name) => suite.name.startsWith(name)))
}

/** @throws Error for settings that don't go together */
function checkDevice({ device, scaling: sizes }) {
  if (!['cpu', 'cuda'].includes(device)) throw new Error(`--device ${device}: it is cpu or cuda`)
  if (device === 'cuda' && sizes) throw new Error('--scaling measures the CPU; leave --device out')
  // One GPU for all: the peers' trainers would take every one that they see.
  if (device === 'cuda') process.env.CUDA_VISIBLE_DEVICES ??= '0'
}

async function bench() {
  const chosen = chosenSuites()
  const folder = mkdtempSync(join(tmpdir(), 'clha-bench-'))
  const say = (line) => process.stderr.write(`${line}\n`)
  try {
    const { chooseDevice, deviceLabel, native } = await product('tensor/index')
    const device = deviceLabel(chooseDevice(given.device))
    const machine = { ...hardware(), engine: native().engine(), device }
    const prepared = await prepareData(folder, given.data)
    const context = {
      data: prepared.file,
      files: prepared.files,
      vocabulary: JSON.parse(readFileSync(prepared.file, 'utf8')).vocabulary,
      device: given.device,
      python: given.python,
      swiftPython: given['swift-python'],
      threads: Number(given.threads ?? machine.engine.threads),
      rounds: Number(given.rounds ?? (given.quick ? 2 : 5)),
      threshold: Number(given['quiet-below']),
      limit: Number(given.wait ?? (given.quick ? 5 : 120)),
      say,
    }
    const { cores } = await waitForQuiet(context.threshold, 0)
    const facts = {
      date: new Date().toISOString(),
      machine,
      threads: context.threads,
      data: prepared.source,
      before: cores,
    }
    console.log(headLines(facts).join('\n'))
    const result = { ...facts, suites: [] }
    const save = () => given.json && writeFileSync(given.json, JSON.stringify(result, null, 1))
    if (given.scaling) result.scaling = await scaling(context, (line) => console.log(line))
    else
      for (const suite of chosen) {
        const measured = await runSuite(suite, context)
        result.suites.push(measured)
        console.log(suiteLines(measured).join('\n'))
        save()
      }
    save()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function headLines({ date, machine, threads, data, before }) {
  const { cpu, cores, memoryGiB, system, node, engine, device } = machine
  return [
    `${date} · ${cpu}, ${cores} cores, ${memoryGiB} GiB · ${system} · node ${node} · libtorch ${engine.libtorch} ${engine.cpuLevel}, ${threads} threads`,
    ...(device === 'CPU' ? [] : [device]),
    `data: ${data} · others used ${before.toFixed(2)} cores at the start`,
  ]
}

checkDevice(given)
if (given.help) console.log(HELP)
else if (given.list)
  console.log(
    suites(given.quick, given.device)
      .map(({ name, title }) => `${name.padEnd(18)}${title}`)
      .join('\n'),
  )
else await bench()
