/** The models of an evaluation: checked before the first answer, loaded one at a time. */
import type { Prompt } from '../data/example.js'
import { usageError } from '../errors.js'
import { headOf, readHfConfig } from '../models/load.js'
import { openScoreCache, type ScoreCache } from '../reward/score-cache.js'
import type { AnsweredSystem } from './evaluation.js'
import { answerPrompts } from './evaluation-answers.js'
import { modelScorer, type Scorer } from './evaluation-scorers.js'
import {
  type LanguageModel,
  loadLanguageModel,
  loadStartModel,
  modelHash,
  resolveModelFolder,
} from './language-model.js'
import { type Session, sha256 } from './session.js'

/** The model first, then those to compare it with. */
export const modelPaths = ({ options }: Session): string[] => [
  ...new Set([options.modelNameOrPath as string, ...(options.baseline ?? [])]),
]

/** `reward_model` is called `reward`, the first of `eval_reward_model` `second`, further ones by their folders. */
export function rewardModelPaths({ options }: Session): { name: string; path: string }[] {
  const [second, ...more] = [options.evalRewardModel ?? []].flat()
  return [
    ...(options.rewardModel === undefined ? [] : [{ name: 'reward', path: options.rewardModel }]),
    ...(second === undefined ? [] : [{ name: 'second', path: second }]),
    ...more.map((path) => ({ name: path, path })),
  ]
}

/** @throws ClhaError (exit 2) for a folder that holds no model, or one of the wrong kind */
export function checkModels(session: Session): void {
  const check = (path: string, wanted: 'lm' | 'reward') => {
    const folder = resolveModelFolder(path)
    if (headOf(readHfConfig(folder), folder) === wanted) return
    const [is, not] =
      wanted === 'lm' ? ['a reward model', 'it cannot answer'] : ['a language model', 'it cannot judge']
    throw usageError(
      `${path}: ${is}, ${not}`,
      `reward models are named by reward_model and eval_reward_model`,
    )
  }
  for (const path of modelPaths(session)) check(path, 'lm')
  for (const { path } of rewardModelPaths(session)) check(path, 'reward')
}

/** Answers of every model, greedy or sampled as the config says. */
export async function answersOfModels(
  session: Session,
  prompts: readonly Prompt[],
): Promise<AnsweredSystem[]> {
  const { options, dtype } = session
  const { temperature } = options
  const decoding = temperature === 0 ? 'greedy' : `sampled, temperature ${temperature}`
  const systems: AnsweredSystem[] = []
  for (const [i, name] of modelPaths(session).entries()) {
    const lm =
      i === 0 ? await loadStartModel(session) : await loadLanguageModel(name, dtype, options.chatTemplate)
    try {
      systems.push({ name, decoding, answers: await answerPrompts(session, lm, prompts, { label: name }) })
    } finally {
      lm.model.dispose()
    }
  }
  return systems
}

/** Scorers that load their model when they are asked, and keep scores in `score_cache_dir`. */
export const lazyScorers = (session: Session): Scorer[] =>
  rewardModelPaths(session).map(({ name, path }) => ({
    name,
    async score(prompts, answers) {
      const folder = resolveModelFolder(path)
      const lm = await loadLanguageModel(folder, session.dtype, session.options.chatTemplate)
      const cache = await cacheOf(session, folder, lm)
      try {
        return await modelScorer(session, name, lm, cache).score(prompts, answers)
      } finally {
        cache?.close()
        lm.model.dispose()
      }
    },
  }))

async function cacheOf(
  { options, dtype }: Session,
  folder: string,
  lm: LanguageModel,
): Promise<ScoreCache | undefined> {
  if (options.scoreCacheDir === undefined) return undefined
  const settings = JSON.stringify([
    'eval',
    options.maxLength,
    options.maxPromptLength,
    dtype,
    lm.template.name,
  ])
  return openScoreCache(options.scoreCacheDir, sha256(`${await modelHash(folder)}:${settings}`))
}
