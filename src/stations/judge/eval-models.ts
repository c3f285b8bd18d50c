/** The models of an evaluation: checked before the first answer, loaded one at a time. */
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
import { openModelCache } from '../score/model-cache.js'
import { type Answer, type AnswerNeeds, answerPrompts } from './answer.js'
import { answerLogProbs, isDrawn, measuresFromStart } from './answer-likelihood.js'
import { endpointScorer } from './endpoint-scorer.js'
import { type AnsweredSystem, answered, decodingName } from './evaluation.js'
import { functionScorer } from './function-scorer.js'
import { type JudgeOptions, namedScorers } from './named-scorers.js'
import { type ChangeNeeds, sayQuantizedChange } from './quantized-change.js'
import { modelScorer, type Scorer, type ScorerNeeds } from './scorers.js'

/** The model first, then those to compare it with. */
export const modelPaths = (options: Pick<Options, 'modelNameOrPath' | 'baseline'>): string[] => [
  ...new Set([required(options, 'modelNameOrPath'), ...(options.baseline ?? [])]),
]

/** Says where no judge is of another family than the training's scorer: they may like the same for the same bad reasons. */
export function sayFamily({ options, ui }: Needs<keyof JudgeOptions, 'ui'>): void {
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
export function checkModels(
  options: JudgeOptions & Pick<Options, 'modelNameOrPath' | 'adapterNameOrPath' | 'baseline'>,
): void {
  for (const path of modelPaths(options))
    checkHead(path, 'lm', path === options.modelNameOrPath ? options.adapterNameOrPath : undefined)
  checkJudges(options)
}

/** @throws ClhaError (exit 2) for a reward model, or a reward server, that can't judge */
export function checkJudges(options: JudgeOptions): void {
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
  const { temperature, adapterNameOrPath, chatTemplate } = options
  const decoding = decodingName(temperature)
  const systems: AnsweredSystem[] = []
  let first: FirstModel | undefined
  for (const [i, path] of modelPaths(options).entries()) {
    const name = hubLabel(path)
    const lm =
      i === 0
        ? await loadStartModel(session, 'lm', 'all')
        : await loadLanguageModel(path, dtype, chatTemplate, quantizedOf(options, 'all'))
    sayUnusedSettings(session, lm.tokenizer.dir, name)
    try {
      const adapter =
        i === 0 && adapterNameOrPath !== undefined ? resolveModelFolder(adapterNameOrPath) : undefined
      await sayQuantizedChange(session, {
        ...{ lm, adapter, folder: resolveModelFolder(path), prompts, answers: references ?? [] },
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
export type JudgeNeeds = ScorerNeeds &
  Needs<SectionOptions<'score' | 'endpoint' | 'evaluate'>, 'dtype'> &
  Needs<'chatTemplate' | 'outputDir'>

/**
 * Scorers that load their model when they are asked, and keep scores in `score_cache_dir`.
 * @param trained as of `namedScorers`
 */
export const lazyScorers = (session: JudgeNeeds, trained = false): Scorer[] =>
  namedScorers(session.options, trained).map(({ name, path, endpoint, module }) => {
    if (module) return functionScorer(session, name, path)
    return endpoint ? endpointScorer(session, name, endpoint) : lazyScorer(session, { name, path })
  })

const lazyScorer = (session: JudgeNeeds, { name, path }: { name: string; path: string }): Scorer => ({
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
