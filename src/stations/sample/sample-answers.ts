/** Sampling answers to prompts, from a model here or from a server; what is known already is not asked for again. */

import { join } from 'node:path'
import type { SectionOptions } from '../../config/options.js'
import type { Example } from '../../data/example.js'
import { type Prompt, promptKey } from '../../dialogue.js'
import { type ClhaError, resourceError, usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import { type GenerationEndpoint, generateByEndpoint } from '../../generate/endpoint.js'
import type { HttpFailure } from '../../http/post-json.js'
import type { LanguageModel } from '../../load/language-model.js'
import { bitsOf } from '../../models/decoder/quantized.js'
import { modelHash, resolveModelFolder } from '../../models/folders/model-folder.js'
import type { Needs } from '../../session/needs.js'
import { throwIfStopped } from '../../session/stopped.js'
import { amount, count } from '../../show/units.js'
import { type AnswerNeeds, requestAnswers } from '../answer/answer.js'
import { type AnswerStore, openAnswerStore, type SampledAnswer } from './answer-store.js'

export interface Sampling {
  /** Answers per prompt. */
  count: number
  temperature: number
  seed: number
  /** What the answers are said to come from. */
  name: string
  /** Folder that keeps the answers as they come. */
  dir: string
}

export interface Sampled {
  /** By example; fewer where the server refused some. */
  answers: SampledAnswer[][]
  /** Answers that were wanted, over different prompts. */
  asked: number
  /** Those that were known. */
  known: number
  refused: number
  /** Tokens of new answers. */
  tokens: number
}

/** An answer that is not known yet. */
interface Task {
  example: Example
  prompt: Prompt
  key: string
  sample: number
}

const originOf = ({ name, temperature }: Sampling, seed: number): string =>
  temperature === 0 ? `${name}, greedy` : `${name}, temperature ${temperature}, seed ${seed}`

/**
 * Samples from a model. An answer depends on the model, the prompt, the seed and its number among the prompt's samples.
 * @param folder what `lm` was read from
 * @throws Stopped after a stop request; what was finished is kept
 */
export async function sampleLocally(
  session: AnswerNeeds & Needs<'adapterNameOrPath', 'dtype'>,
  lm: LanguageModel,
  folder: string,
  examples: readonly Example[],
  sampling: Sampling,
): Promise<Sampled> {
  const { topK, topP, maxNewTokens, maxPromptLength, stop, adapterNameOrPath } = session.options
  const { temperature, seed } = sampling
  const adapter =
    adapterNameOrPath === undefined ? '' : await modelHash(resolveModelFolder(adapterNameOrPath))
  const settings = [temperature, topK, topP, maxNewTokens, maxPromptLength, seed, stop, lm.template.name]
  const bits = bitsOf(lm.model)
  const narrow = bits ? [`${bits} bits`] : []
  const identity = sha256(
    JSON.stringify([await modelHash(folder), adapter, settings, session.dtype, ...narrow]),
  )
  return withStore(session, identity, examples, sampling, async (tasks, keep) => {
    const names = tasks.map(({ key, sample }) => (sample === 0 ? key : `${key}:${sample}`))
    let tokens = 0
    await requestAnswers(
      session,
      lm,
      tasks.map(({ prompt }) => prompt),
      { label: 'sampling', temperature, seed, names },
      {
        answer(i, { text, ids, finishReason }) {
          tokens += ids.length
          keep(tasks[i], { text, tokens: ids.length, finishReason, origin: originOf(sampling, seed) })
        },
      },
    )
    return { tokens, refused: 0 }
  })
}

/**
 * Samples from a server.
 * @throws ClhaError naming the row: exit 4 when the server can't be reached or stays overloaded, exit 2 when it refuses
 *   (with skip_bad such answers are left out); Stopped after a stop request. What came back before is kept
 */
export async function sampleFromEndpoint(
  session: Needs<SectionOptions<'generate'>, 'ui' | 'stopRequested'> & Needs<'skipBad'>,
  endpoint: GenerationEndpoint,
  examples: readonly Example[],
  sampling: Sampling,
): Promise<Sampled> {
  const { options, ui, stopRequested } = session
  const { topK, topP, maxNewTokens, stop } = options
  const { temperature, seed } = sampling
  const decoding = { temperature, topK, topP, maxNewTokens, stop }
  const identity = sha256(JSON.stringify([endpoint.identity, decoding, seed]))
  return withStore(session, identity, examples, sampling, async (tasks, keep) => {
    const bar = ui.progress(tasks.length, 'sampling', 'answers')
    let [done, tokens, refused] = [0, 0, 0]
    const wanted = tasks.map(({ prompt, sample }) => ({ prompt, seed: seed + sample }))
    await generateByEndpoint(endpoint, wanted, decoding, {
      stopRequested,
      answer(i, answer) {
        const origin = originOf(sampling, seed + tasks[i].sample)
        keep(tasks[i], { ...answer, origin, tokens: answer.tokens ?? 0 })
        tokens += answer.tokens ?? 0
        bar.update(++done, { tokens: count(tokens) })
      },
      failed(i, failure) {
        if (failure.options.retry || !options.skipBad) throw refusal(tasks[i].example, endpoint, failure)
        if (refused++ < 5) ui.warn(`${rowOf(tasks[i].example)}: an answer is left out: ${failure.message}`)
        bar.update(++done)
      },
    })
    bar.done(`${amount(tokens, 'token')}`)
    return { tokens, refused }
  })
}

type Keep = (task: Task, answer: SampledAnswer) => void

/** Asks for what is missing; equal prompts are asked once. */
async function withStore(
  session: Pick<AnswerNeeds, 'ui' | 'stopRequested'>,
  identity: string,
  examples: readonly Example[],
  { count: wanted, dir }: Sampling,
  ask: (tasks: readonly Task[], keep: Keep) => Promise<{ tokens: number; refused: number }>,
): Promise<Sampled> {
  const store = openAnswerStore(join(dir, `sampled-${identity.slice(0, 16)}.jsonl`))
  try {
    const all = tasksOf(examples, wanted)
    const missing = all.filter(({ key, sample }) => store.get(key, sample) === undefined)
    const known = all.length - missing.length
    if (known > 0) session.ui.line(`${count(known)} of ${count(all.length)} answers are known already`)
    const keep: Keep = ({ key, sample }, answer) => store.add(key, sample, answer)
    const done = missing.length > 0 ? await ask(missing, keep) : { tokens: 0, refused: 0 }
    throwIfStopped(session)
    return { answers: examples.map((e) => knownOf(store, e, wanted)), asked: all.length, known, ...done }
  } finally {
    store.close()
  }
}

function tasksOf(examples: readonly Example[], wanted: number): Task[] {
  const byPrompt = new Map(examples.map((example) => [promptKey(example.prompt), example]))
  return [...byPrompt].flatMap(([key, example]) =>
    Array.from({ length: wanted }, (_, sample) => ({ example, prompt: example.prompt, key, sample })),
  )
}

function knownOf(store: AnswerStore, { prompt }: Example, wanted: number): SampledAnswer[] {
  const key = promptKey(prompt)
  return Array.from({ length: wanted }, (_, sample) => store.get(key, sample)).filter((a) => a !== undefined)
}

const rowOf = ({ file, row }: Example): string => `${file}:${row}`

function refusal(example: Example, endpoint: GenerationEndpoint, failure: HttpFailure): ClhaError {
  const message = `${rowOf(example)}: generation endpoint ${endpoint.name}: ${failure.message}`
  if (failure.options.retry)
    return resourceError(message, 'answers that came back are kept; run the same command again to go on')
  if (failure.options.denied)
    return usageError(message, 'name the variable that holds its token: generation_endpoint_token_env')
  return usageError(
    message,
    'compare generation_endpoint and its model with the server; skip_bad: true leaves such answers out',
  )
}
