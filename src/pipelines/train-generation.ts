/** Answers during training: the same held-out prompts, greedy, scored and kept, so that one sees what the loss does not show. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Example } from '../data/example.js'
import { textStats } from '../evaluate/text-stats.js'
import { mean } from '../rescore/statistics.js'
import { lazyScorers } from './eval-models.js'
import { answerPrompts } from './evaluation-answers.js'
import { evaluationSet } from './evaluation-set.js'
import type { LanguageModel } from './language-model.js'
import type { Session } from './session.js'

/** Prompts asked each time. */
const PROMPTS = 64

/**
 * Metrics `eval_generated/…` of the model as it stands; the answers go to `<output_dir>/samples.jsonl`. The reward is that of
 * `reward_model`, where there is one.
 */
export function generationHook(session: Session, lm: LanguageModel, held: readonly Example[]) {
  const { options } = session
  if (options.evalGenerationSteps === undefined) return undefined
  const set = evaluationSet(held, PROMPTS, options.seed)
  const path = join(options.outputDir, 'samples.jsonl')
  const scorer = lazyScorers(session).find(({ name }) => name === 'reward')
  return async (step: number): Promise<Record<string, number>> => {
    const answers = await answerPrompts(session, lm, set.prompts, { label: undefined, temperature: 0 })
    const texts = answers.map(({ text }) => text)
    const rewards = await scorer?.score(set.prompts, texts)
    mkdirSync(dirname(path), { recursive: true })
    const rows = texts.map((answer, i) => ({ step, prompt: set.prompts[i], answer, reward: rewards?.[i] }))
    appendFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    return {
      'eval_generated/length': mean(answers.map(({ ids }) => ids.length)),
      'eval_generated/repetition': textStats(texts).repetition,
      ...(rewards && { 'eval_generated/reward': mean(rewards) }),
    }
  }
}
