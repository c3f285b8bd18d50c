// A contender made of the product: `node bench/worker.mjs '{"kind":"train", …}'`. See lib/contender.mjs for the protocol.
import { readFileSync } from 'node:fs'
import { configOf } from './lib/models.mjs'
import { measureCalls, measureStepOverhead } from './lib/overhead.mjs'
import { product, sessionOf } from './lib/product.mjs'
import { BATCH, batches, encodedOf, rowsOfRound, tokensOf } from './lib/rounds.mjs'
import { serveRounds } from './lib/serve-rounds.mjs'
import { switchOff } from './lib/switches.mjs'
import { createTrainer } from './lib/trainer.mjs'

const spec = JSON.parse(process.argv[2])
const data = JSON.parse(readFileSync(spec.data, 'utf8'))
const { native, noGrad, scope } = await product('tensor/index')
const session = await sessionOf(spec)
const maxTokens = session.options.maxTokensPerBatch
await switchOff(spec.off ?? [])

const KINDS = { train, steady, score, generate, calls, overhead, tokens, shape }
/** What a contender says before its first round. */
const facts = {}
const round = await KINDS[spec.kind](spec)
await serveRounds(round, { ...native().engine(), ...facts })

async function train({ per, set = 'pairs', batch = BATCH }) {
  const rows = data[set]
  const { matrixPeak } = await product('train/profile/profile-peak')
  const peak = matrixPeak(session.options.bf16 ? 'bf16' : session.dtype)
  const step = await createTrainer(spec, session, data.vocabulary)
  step(rows.slice(0, batch))
  return (index) => {
    const own = rowsOfRound(rows, index, per, batch)
    const sum = { loss: 0, flops: 0 }
    for (const part of batches(own, batch)) {
      const { loss, flops } = step(part)
      sum.loss += (loss * part.length) / own.length
      sum.flops += flops
    }
    return { items: own.length, tokens: tokensOf(own), peak, ...sum }
  }
}

/** Steps for so many seconds: under a load nobody knows how long a number of them takes. Says the losses of the first steps. */
async function steady({ seconds, batch, first = 8 }) {
  const step = await createTrainer(spec, session, data.vocabulary)
  const rows = (at) => rowsOfRound(data.pairs, at, batch, 0)
  let at = 0
  facts.losses = Array.from({ length: first }, () => step(rows(at++)).loss)
  return () => {
    const end = performance.now() + seconds * 1000
    const start = at
    while (performance.now() < end) step(rows(at++))
    return { items: at - start }
  }
}

/** Rewards of both answers of each pair, the packing included. */
async function score({ size, per }) {
  const { initModel } = await product('models/decoder/init')
  const { decoderScorer } = await product('models/decoder/reward-scorer')
  const { scoreExamples } = await product('reward/model-scorer')
  const config = {
    ...configOf(size, data.vocabulary),
    architectures: ['LlamaForSequenceClassification'],
    num_labels: 1,
  }
  const scorer = decoderScorer(initModel(config, 0, 'reward', session.dtype))
  const run = (rows) => scoreExamples(scorer, rows.map(encodedOf), { maxTokens })
  await run(data.pairs.slice(0, BATCH))
  return async (index) => {
    const own = rowsOfRound(data.pairs, index, per)
    await run(own)
    return { items: tokensOf(own) }
  }
}

/** Greedy answers of a fixed length to prompts that stand together from the first token to the last. */
async function generate({ size, batchSize, newTokens }) {
  const { initModel } = await product('models/decoder/init')
  const { loadTokenizer } = await product('text/tokenizer')
  const { generate: answer } = await product('generate/generate')
  const model = initModel(configOf(size, data.vocabulary), 0, 'lm', session.dtype)
  const tokenizer = await loadTokenizer(data.tokenizer)
  const options = { temperature: 0, topK: 0, topP: 1, stopIds: [], stop: [], seed: 0, batchSize }
  const run = (rows, maxNewTokens) => {
    const requests = rows.map(({ ids }, i) => ({ promptIds: ids[0], name: `${i}` }))
    return answer(model, tokenizer, requests, { ...options, maxNewTokens })
  }
  await run(data.pairs.slice(0, batchSize), 4)
  return async (index) => {
    const answers = await run(rowsOfRound(data.pairs, index, batchSize), newTokens)
    return { items: answers.reduce((sum, a) => sum + a.ids.length, 0) }
  }
}

async function calls() {
  return () => measureCalls()
}

async function overhead({ per }) {
  const step = await createTrainer(spec, session, data.vocabulary)
  step(data.pairs.slice(0, BATCH))
  return (index) => measureStepOverhead(() => [...batches(rowsOfRound(data.pairs, index, per))].forEach(step))
}

/** The way of a file to packed batches: read, tokenised, packed. */
async function tokens({ files, per }) {
  const { readExamples } = await product('data/read/read-examples')
  const { encodeExamples } = await product('data/encode/encode')
  const { packLists } = await product('data/encode/pack')
  const { loadTokenizer } = await product('text/tokenizer')
  const { chatTemplate } = await product('text/template')
  const tokenizer = await loadTokenizer(data.tokenizer)
  const template = await chatTemplate(tokenizer, 'hh')
  return async () => {
    const { examples } = await readExamples(files.slice(0, 1), { limit: per })
    const { encoded } = await encodeExamples(examples, tokenizer, template, { maxLength: 512 })
    noGrad(() => scope(() => packLists(encoded, { maxTokens, lastToken: false })))
    return { items: encoded.length }
  }
}

/** One list of made-up ids: half of the length prompt, half answer. */
async function shape({ answers, length }) {
  const step = await createTrainer(spec, session, data.vocabulary)
  const ids = (n, seed) =>
    Array.from({ length: n }, (_, i) => 3 + ((i * 7919 + seed * 104729) % (data.vocabulary - 3)))
  const half = length / 2
  const row = { ids: [ids(half, 0), ...Array.from({ length: answers }, (_, k) => ids(half, k + 1))] }
  step([row])
  return () => ({ items: 1, loss: step([row]).loss })
}
