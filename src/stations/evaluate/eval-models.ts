/** The models of an evaluation: checked before the first answer, loaded one at a time. */
import { resolve } from 'node:path'
import type { Options, SectionOptions } from '../../config/options.js'
import { usageError } from '../../errors.js'
import type { EvaluationSet } from '../../evaluate/evaluation-set.js'
import { hubLabel } from '../../hub/cache.js'
import { sayUnusedSettings } from '../../load/generation-settings.js'
import { type LanguageModel, loadLanguageModel, loadStartModel } from '../../load/language-model.js'
import { quantizedOf } from '../../load/quantized-options.js'
import { loadScoringModel } from '../../load/scoring-model.js'
import { baseFolderOf, headOfFolder } from '../../models/adapters/adapter-load.js'
import { readHfConfig } from '../../models/folders/load-model.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { type Needs, required } from '../../session/needs.js'
import { type Answer, type AnswerNeeds, answerPrompts } from '../answer/answer.js'
import { answerLogProbs, isDrawn, measuresFromStart } from '../answer/answer-likelihood.js'
import { openModelCache } from '../score/model-cache.js'
import { endpointScorer } from './endpoint-scorer.js'
import { type AnsweredSystem, answered, decodingName } from './evaluation.js'
import { functionScorer } from './function-scorer.js'
import { namedScorers, type ScorerOptions } from './named-scorers.js'
import { type ChangeNeeds, sayQuantizedChange } from './quantized-change.js'
import { modelScorer, type Scorer, type ScorerNeeds } from './scorers.js'

/** A model of an evaluation. */
export interface EvaluatedModel {
  /** Its name in the report. */
  name: string
  path: string
  adapter?: string
}

type ModelNames = Pick<Options, 'modelNameOrPath' | 'adapterNameOrPath' | 'baseline'>

/**
 * The model first, then those to compare it with, each once. A model with an adapter is called as the adapter is.
 * @throws ClhaError (exit 2) for a baseline that is the model itself, and what is no model folder
 */
export function evaluatedModels(options: ModelNames): EvaluatedModel[] {
  const { adapterNameOrPath: adapter, baseline = [] } = options
  const path = required(options, 'modelNameOrPath')
  const folderOf = (name: string) => resolve(resolveModelFolder(name))
  const own = folderOf(adapter ?? path)
  const seen = new Set<string>()
  const others = baseline.flatMap((other): EvaluatedModel[] => {
    const folder = folderOf(other)
    if (folder === own) {
      throw usageError(
        `baseline ${hubLabel(other)}: a model is not compared with itself`,
        'name another model, or an earlier checkpoint',
      )
    }
    if (seen.has(folder)) return []
    seen.add(folder)
    return [{ name: hubLabel(other), path: other }]
  })
  return [{ name: hubLabel(adapter ?? path), path, ...(adapter !== undefined && { adapter }) }, ...others]
}

/** Says where no judge is of another family than the training's scorer: they may like the same for the same bad reasons. */
export function sayFamily({ options, ui }: Needs<keyof ScorerOptions, 'ui'>): void {
  const scorers = namedScorers(options)
  const [first] = scorers
  if (first?.name !== 'reward') return
  const models = first.endpoint ? 'reward_endpoint' : 'reward_model'
  const key = first.module ? 'reward_function' : models
  // What model a server runs is not known: it may well be another one.
  const families = new Set(
    scorers.map(({ path, endpoint, module }) => (endpoint || module ? path : familyOf(path))),
  )
  if (families.size > 1) return
  const [family] = families
  const all =
    scorers.length === 1 ? `${key} alone judges` : `all judges are of the family of ${key} (${family})`
  ui.warn(
    `${all}: where it trained the model, that is no independent view`,
    'add one of another family with --eval-reward-model, or ask people and judges: clha vote, clha judge',
  )
}

const familyOf = (path: string): string =>
  String(readHfConfig(baseFolderOf(resolveModelFolder(path))).model_type)

/** @throws ClhaError (exit 2) for a folder that holds no model, or one of the wrong kind */
export function checkModels(options: ScorerOptions & ModelNames): void {
  for (const { path, adapter } of evaluatedModels(options)) checkHead(path, 'lm', adapter)
  checkScorers(options)
}

/** @throws ClhaError (exit 2) for a reward model, or a reward server, that can't judge */
export function checkScorers(options: ScorerOptions): void {
  for (const { path, endpoint, module } of namedScorers(options))
    if (!endpoint && !module) checkHead(path, 'reward')
}

function checkHead(path: string, wanted: 'lm' | 'reward', adapter?: string): void {
  if (headOfFolder(resolveModelFolder(path), adapter && resolveModelFolder(adapter)) === wanted) return
  const [is, not] =
    wanted === 'lm' ? ['a reward model', 'it cannot answer'] : ['a language model', 'it cannot judge']
  throw usageError(`${path}: ${is}, ${not}`, `reward models are named by reward_model and eval_reward_model`)
}

/**
 * Answers of every model, greedy or sampled as the config says.
 * @param look at each model while it is loaded
 */
export async function answersOfModels(
  session: AnswerNeeds & Needs<SectionOptions<'model' | 'lora' | 'evaluate'>, 'dtype'> & ChangeNeeds,
  { prompts, references }: EvaluationSet,
  look?: (lm: LanguageModel, name: string) => Promise<void>,
): Promise<AnsweredSystem[]> {
  const { options, dtype } = session
  const { temperature, chatTemplate } = options
  const decoding = decodingName(temperature)
  const systems: AnsweredSystem[] = []
  let first: FirstModel | undefined
  for (const [i, { name, path, adapter }] of evaluatedModels(options).entries()) {
    const lm =
      i === 0
        ? await loadStartModel(session, 'lm', 'all')
        : await loadLanguageModel(path, dtype, chatTemplate, quantizedOf(options, 'all'))
    sayUnusedSettings(session, lm.tokenizer.generation, name)
    try {
      await sayQuantizedChange(session, {
        lm,
        folder: resolveModelFolder(path),
        adapter: adapter && resolveModelFolder(adapter),
        prompts,
        answers: references ?? [],
      })
      await look?.(lm, name)
      const answers = await answerPrompts(session, lm, prompts, { label: name })
      systems.push({ name, decoding, answers: answered(answers) })
      if (i === 0 && options.baseline !== undefined) {
        const own = await answerLogProbs(options, lm, prompts, answers)
        first = { own, answers, vocabulary: lm.tokenizer.vocabSize }
      } else if (i === 1 && first?.vocabulary === lm.tokenizer.vocabSize) {
        const start = await answerLogProbs(options, lm, prompts, first.answers)
        systems[0].fromStart = measuresFromStart({
          ...first,
          start,
          drawn: isDrawn(options),
          seed: options.seed,
        })
      }
    } finally {
      lm.model.dispose()
    }
  }
  return systems
}

/** The model under test, for what the first baseline thinks of its answers. */
interface FirstModel {
  own: readonly number[]
  answers: readonly Answer[]
  vocabulary: number
}

/** The keys of reward models and of a reward server, and how their inputs are cut. */
export type ScoringNeeds = ScorerNeeds &
  Needs<SectionOptions<'score' | 'endpoint' | 'evaluate'>, 'dtype'> &
  Needs<'chatTemplate' | 'outputDir'>

/**
 * Scorers that load their model when they are asked, and keep scores in `score_cache_dir`.
 * @param trained as of `namedScorers`
 */
export const lazyScorers = (session: ScoringNeeds, trained = false): Scorer[] =>
  namedScorers(session.options, trained).map(({ name, path, endpoint, module }) => {
    if (module) return functionScorer(session, name, path)
    return endpoint ? endpointScorer(session, name, endpoint) : lazyScorer(session, { name, path })
  })

const lazyScorer = (session: ScoringNeeds, { name, path }: { name: string; path: string }): Scorer => ({
  name,
  async score(prompts, answers) {
    const folder = resolveModelFolder(path)
    const { chatTemplate, rewardModel, rewardFormat } = session.options
    // Other judges than the reward_model say by themselves how they read.
    const format = rewardModel?.includes(path) ? rewardFormat : 'auto'
    const lm = await loadScoringModel(folder, { dtype: session.dtype, format, chatTemplate })
    const cache = await openModelCache(session, { folder, template: lm.template.name }, session.options)
    try {
      return await modelScorer(session, name, lm, cache).score(prompts, answers)
    } finally {
      cache?.close()
      lm.model.dispose()
    }
  },
})
