// Whether `clha plan` tells the truth: 12 trainings as processes of their own, what they took against what was planned.
// Options: --steps 4, --only <part of a name>, --clha <program>, --json. Exit 8 when memory is off by more than 15 % or time
// by more than 25 %.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { root } from './setup/paths.mjs'

const LIMITS = { memory: 0.15, time: 0.25 }

const { values: flags } = parseArgs({
  options: {
    steps: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    clha: { type: 'string', default: join(root, 'clha') },
    json: { type: 'boolean', default: false },
    workshop: { type: 'string' },
  },
})

/** Width, layers and heads; S is mostly vocabulary, M has the shape of a 135 M model. */
const SIZES = {
  S: {
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 2,
  },
  B: {
    hidden_size: 384,
    intermediate_size: 1024,
    num_hidden_layers: 12,
    num_attention_heads: 6,
    num_key_value_heads: 3,
  },
  M: {
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
  },
}

const program = resolve(flags.clha)
const load = (file) => import(join(program, '../dist', file))

/** A sequence of whole numbers below n that is always the same. */
function numbers(seed) {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff
    return (state >> 8) % n
  }
}

/** Pairs of invented words, a tokenizer for them and a folder for each model. */
async function workshop(folder) {
  const { saveTokenizer, trainByteLevelBpe } = await load('text/bpe-train.js')
  const { initModel } = await load('models/decoder/init.js')
  const { modelFiles } = await load('models/folders/save-model.js')
  const next = numbers(7)
  const syllables = ['ba', 'de', 'ki', 'lo', 'mu', 'na', 'pe', 'ri', 'so', 'tu']
  const word = () => Array.from({ length: 1 + next(3) }, () => syllables[next(10)]).join('')
  const text = (words) => Array.from({ length: words }, word).join(' ')
  const rows = Array.from({ length: 96 }, () => ({
    prompt: [{ role: 'user', content: text(30 + next(60)) }],
    chosen: [{ role: 'assistant', content: text(20 + next(50)) }],
    rejected: [{ role: 'assistant', content: text(20 + next(50)) }],
  }))
  writeFileSync(join(folder, 'pairs.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const texts = rows.map((row) => row.prompt[0].content)
  const tokenizer = trainByteLevelBpe(texts, { vocabSize: 320, specialTokens: ['<|endoftext|>'] })
  for (const [name, sizes] of Object.entries(SIZES)) {
    const to = join(folder, name)
    mkdirSync(to)
    const fixed = {
      architectures: ['LlamaForCausalLM'],
      model_type: 'llama',
      vocab_size: 49152,
      hidden_act: 'silu',
    }
    const more = {
      max_position_embeddings: 1024,
      rope_theta: 10000,
      rms_norm_eps: 1e-5,
      initializer_range: 0.02,
    }
    const model = initModel({ ...fixed, ...more, ...sizes, tie_word_embeddings: name !== 'B' }, 1)
    for (const { path, chunks } of modelFiles(model))
      writeFileSync(join(to, path), Buffer.concat([...chunks()]))
    model.dispose()
    await saveTokenizer(to, tokenizer)
  }
}

/** Runs a command of clha; its last result and its rows of metrics. */
function clha(args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args, '--json'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  if (status !== 0) throw new Error(`clha ${args.join(' ')}: exit ${status}\n${stderr.slice(-3000)}`)
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
  return { result: lines.findLast((line) => line.result)?.result }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]

/** One configuration: planned, trained, planned again; a machine that others use too is not the same all the time. */
function checked(folder, { size, lora, recompute }) {
  const dir = join(folder, `${size}-${lora}-${recompute}`)
  const args = [
    ...['--model-name-or-path', join(folder, size), '--train-dataset', join(folder, 'pairs.jsonl')],
    ...['--output-dir', dir, '--method', 'simpo', '--dev-fraction', '0', '--max-steps', flags.steps],
    ...['--per-device-train-batch-size', '6', '--gradient-accumulation-steps', '1'],
    ...[
      '--max-tokens-per-batch',
      '1536',
      '--logging-steps',
      '1',
      '--gradient-checkpointing',
      String(recompute),
    ],
    ...(lora ? ['--use-peft', '--learning-rate', '1e-4'] : []),
  ]
  const before = clha(['plan', ...args]).result
  clha(['train', ...args])
  const after = clha(['plan', ...args]).result
  const rows = readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  rmSync(dir, { recursive: true, force: true })
  const logged = rows.filter((row) => row.tokens_per_second !== undefined)
  const planned = before.memory.peak / 2 ** 20
  const peak = Math.max(...logged.map((row) => row.peak_memory_mib))
  // Steps differ in tokens, so both times are per token. The first step pays for what is made once.
  const perToken = median(logged.slice(1).map((row) => 1000 / row.tokens_per_second))
  const [first, second] = [before, after].map((plan) => (1000 * plan.seconds) / plan.tokens)
  const plannedTime = (first + second) / 2
  return {
    name: `${size} ${lora ? 'LoRA' : 'full'} ${recompute ? 'recomputed' : 'kept'}`,
    plannedMiB: planned,
    peakMiB: peak,
    memoryError: planned / peak - 1,
    plannedMsPerToken: plannedTime,
    msPerToken: perToken,
    timeError: plannedTime / perToken - 1,
  }
}

const percent = (x) => `${x >= 0 ? '+' : ''}${(100 * x).toFixed(1)} %`

function show(row) {
  const { name, plannedMiB, peakMiB, memoryError, plannedMsPerToken, msPerToken, timeError } = row
  const off = Math.abs(memoryError) > LIMITS.memory || Math.abs(timeError) > LIMITS.time ? '  off' : ''
  const memory = `${plannedMiB.toFixed(0)} | ${peakMiB.toFixed(0)} | ${percent(memoryError)}`
  console.log(
    `| ${name} | ${memory} | ${plannedMsPerToken.toFixed(2)} | ${msPerToken.toFixed(2)} | ${percent(timeError)} |${off}`,
  )
}

if (flags.workshop) {
  await workshop(flags.workshop)
  process.exit(0)
}

const folder = mkdtempSync(join(tmpdir(), 'clha-check-plan-'))
try {
  // A process of its own: Linux hands the peak memory of a process down to those that it starts.
  spawnSync(process.execPath, [...process.argv.slice(1), '--workshop', folder], { stdio: 'inherit' })
  const all = Object.keys(SIZES).flatMap((size) =>
    [false, true].flatMap((lora) => [false, true].map((recompute) => ({ size, lora, recompute }))),
  )
  const rows = []
  if (!flags.json) {
    console.log(`${cpus()[0]?.model}, ${cpus().length} cores, load ${loadavg()[0].toFixed(1)} at the start\n`)
    console.log('| configuration | planned MiB | peak MiB | error | planned ms/token | ms/token | error |')
    console.log('| --- | --- | --- | --- | --- | --- | --- |')
  }
  for (const one of all) {
    const name = `${one.size} ${one.lora ? 'LoRA' : 'full'} ${one.recompute ? 'recomputed' : 'kept'}`
    if (!name.includes(flags.only)) continue
    const row = checked(folder, one)
    rows.push(row)
    if (!flags.json) show(row)
  }
  if (flags.json) console.log(JSON.stringify({ limits: LIMITS, rows }))
  const off = rows.filter(
    (r) => Math.abs(r.memoryError) > LIMITS.memory || Math.abs(r.timeError) > LIMITS.time,
  )
  if (off.length > 0) process.exitCode = 8
} finally {
  rmSync(folder, { recursive: true, force: true })
}
