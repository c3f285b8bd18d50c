/** Answers during training: the same prompts, greedy, scored, compared with the start and kept, so that one sees what the loss does not show. */

import { join } from 'node:path'
import { encodeExamples } from '../../data/encode/encode.js'
import { packLists } from '../../data/encode/pack.js'
import type { Example } from '../../data/example.js'
import { type EvaluationSet, evaluationSet } from '../../evaluate/evaluation-set.js'
import { textStats } from '../../evaluate/text-stats.js'
import { makeFolder } from '../../files/folder.js'
import { writeWhole } from '../../files/whole.js'
import { type LanguageModel, loadLanguageModel } from '../../load/language-model.js'
import { frozenAdapter, type WithFrozen } from '../../models/adapters/frozen-adapter.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { divergence } from '../../models/decoder/divergence.js'
import type { GENERATED_METRICS } from '../../runs/metric-names.js'
import type { Needs } from '../../session/needs.js'
import { mean } from '../../statistics/statistics.js'
import { type Answer, type AnswerNeeds, answerPrompts } from '../answer/answer.js'
import { lazyScorers, type ScoringNeeds } from '../evaluate/eval-models.js'
import { exampleOf } from '../evaluate/scorers.js'

/** Prompts asked each time. */
const PROMPTS = 64

export interface GenerationPlace {
  /** Folder of the run; the config's output_dir when left out. */
  dir?: string
  /** Folder of the model that training began with; the config's when left out. A start from random weights has none. */
  start?: string
}

export type WatchNeeds = AnswerNeeds & ScoringNeeds & Needs<'modelNameOrPath' | 'evalGenerationSteps'>

type Generated = Partial<Record<`eval_generated/${(typeof GENERATED_METRICS)[number]}`, number>>

/**
 * Metrics `eval_generated/…` of the model as it stands; the answers go to `samples-<step>.jsonl` of the run folder. The reward is
 * that of `reward_model`, where there is one; `kl` is to the start model, its adapter included.
 */
export function generationHook(
  session: WatchNeeds,
  lm: LanguageModel,
  held: readonly Example[],
  { dir = session.options.outputDir, start = session.options.modelNameOrPath }: GenerationPlace = {},
) {
  const { options } = session
  if (options.evalGenerationSteps === undefined) return undefined
  const set = evaluationSet(held, PROMPTS, options.seed)
  const atStart = lm.model.adapter && frozenAdapter(lm.model)
  const scorer = lazyScorers(session).find(({ name }) => name === 'reward')
  return async (step: number): Promise<Generated> => {
    const answers = await answerPrompts(session, lm, set.prompts, { label: undefined, temperature: 0 })
    const texts = answers.map(({ text }) => text)
    const rewards = await scorer?.score(set.prompts, texts)
    makeFolder(dir)
    const rows = texts.map((answer, i) => ({ step, prompt: set.prompts[i], answer, reward: rewards?.[i] }))
    const path = join(dir, `samples-${step}.jsonl`)
    writeWhole(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return {
      'eval_generated/length': mean(answers.map(({ ids }) => ids.length)),
      'eval_generated/repetition': textStats(texts).repetition,
      ...(await certainty(session, lm, set, answers, atStart ?? start)),
      ...(rewards && { 'eval_generated/reward': mean(rewards) }),
    }
  }
}

/** Entropy of the next token, and KL to the start, per token of the answers. */
async function certainty(
  session: WatchNeeds,
  lm: LanguageModel,
  { prompts }: EvaluationSet,
  answers: readonly Answer[],
  start: string | WithFrozen | undefined,
): Promise<Generated> {
  const { options, dtype } = session
  const examples = prompts.map((prompt, i) => exampleOf(prompt, answers[i].text, i))
  const maxLength = Math.min(options.maxLength + options.maxNewTokens, lm.model.config.maxPositions)
  const { encoded } = await encodeExamples(examples, lm.tokenizer, lm.template, { maxLength })
  const other = typeof start === 'string' && (await loadLanguageModel(start, dtype, options.chatTemplate))
  try {
    const under =
      typeof start === 'function'
        ? <T>(use: (m: Decoder) => T) => start(() => use(lm.model))
        : other && (<T>(use: (m: Decoder) => T) => use(other.model))
    if (other) other.model.bf16 = lm.model.bf16
    const sums = { entropy: 0, kl: 0, tokens: 0 }
    for (const batch of packLists(encoded, { maxTokens: options.maxTokensPerBatch, lastToken: false })) {
      const found = divergence(lm.model, batch, under || undefined)
      sums.entropy += found.entropy
      sums.kl += found.kl
      sums.tokens += found.tokens
    }
    if (sums.tokens === 0) return {}
    return {
      'eval_generated/entropy': sums.entropy / sums.tokens,
      ...(under && { 'eval_generated/kl': sums.kl / sums.tokens }),
    }
  } finally {
    if (other) other.model.dispose()
  }
}
