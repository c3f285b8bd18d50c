/** How likely generated answers are under a model, by the very tokens that were generated. */
import type { Options } from '../../config/options.js'
import { encodePrompts } from '../../data/encode/encode.js'
import type { EncodedExample } from '../../data/encode/encoded.js'
import { packLists, valuesByList } from '../../data/encode/pack.js'
import { answeringRoom } from '../../data/limits.js'
import type { Prompt } from '../../dialogue.js'
import type { Measures } from '../../evaluate/measures.js'
import type { LanguageModel } from '../../load/language-model.js'
import { logProbSums } from '../../models/decoder/score.js'
import { bootstrapMean } from '../../statistics/intervals.js'
import type { Answer } from './answer.js'

type Cuts = Pick<Options, 'maxPromptLength' | 'maxNewTokens' | 'maxTokensPerBatch'>

/** All that was sampled: the token that ended an answer too. */
const sampledIds = ({ ids, endId }: Pick<Answer, 'ids' | 'endId'>): readonly number[] =>
  endId === undefined ? ids : [...ids, endId]

/** ln p of each answer, nats, over all its tokens; the model has to have the tokenizer that the answers were made with. */
export async function answerLogProbs(
  { maxPromptLength: most, maxNewTokens, maxTokensPerBatch: maxTokens }: Cuts,
  { model, tokenizer, template }: LanguageModel,
  prompts: readonly Prompt[],
  answers: readonly Pick<Answer, 'ids' | 'endId'>[],
): Promise<number[]> {
  // As the prompts were cut when they were answered.
  const maxPromptLength = answeringRoom(model.config.maxPositions, maxNewTokens, most)
  const { ids } = await encodePrompts(prompts, tokenizer, template, { maxPromptLength })
  const examples = answers.map((answer, i): EncodedExample => {
    const ended = answer.endId !== undefined
    const own = { ids: Int32Array.from(sampledIds(answer)), scoredFrom: 0, truncated: !ended, ended }
    return { id: String(i), source: '', promptIds: Int32Array.from(ids[i]), answers: [own], promptCut: 0 }
  })
  const out = new Array<number>(examples.length).fill(0)
  for (const batch of packLists(examples, { maxTokens, lastToken: false }))
    for (const [list, [sum]] of valuesByList(batch, logProbSums(model, batch))) out[list] = sum
  return out
}

/** Whether answers are drawn at temperature 1 from the whole distribution. */
export const isDrawn = ({
  temperature,
  topK,
  topP,
}: Pick<Options, 'temperature' | 'topK' | 'topP'>): boolean => temperature === 1 && topK === 0 && topP === 1

export interface FromStart {
  /** ln p of each answer under the model that gave it, and under the start. */
  own: readonly number[]
  start: readonly number[]
  answers: readonly Pick<Answer, 'ids' | 'endId'>[]
  /** As of `isDrawn`: only then is the mean difference the KL divergence. */
  drawn: boolean
  seed: number
}

/** Perplexity under the start, per token; the sampled KL divergence from it in nats an answer, with its interval. */
export function measuresFromStart({ own, start, answers, drawn, seed }: FromStart): Measures {
  const tokens = answers.reduce((sum, answer) => sum + sampledIds(answer).length, 0)
  const logProb = start.reduce((a, b) => a + b, 0)
  return {
    ...(tokens > 0 && { perplexity: { value: Math.exp(-logProb / tokens) } }),
    ...(drawn && {
      kl: bootstrapMean(
        own.map((p, i) => p - start[i]),
        { seed },
      ),
    }),
  }
}
