/** `clha reward train`: a reward model from preferences; with several folds, one that never scores what it was trained on. */
import { join } from 'node:path'
import { checkIdle, type IdleKeys } from '../../config/idle-keys.js'
import type { Options } from '../../config/options.js'
import type { ConfigKey } from '../../config/schema.js'
import { LORA_KEYS } from '../../config/sections/lora-section.js'
import { profileSection } from '../../config/sections/profile-section.js'
import { trainSection } from '../../config/sections/train-section.js'
import { type EncodedCorpus, partOf, withoutPart } from '../../data/corpus.js'
import { usageError } from '../../errors.js'
import { type LanguageModel, loadStartModel } from '../../load/language-model.js'
import { requireAdapterOnQuantized } from '../../load/quantized-options.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { inOutputDir, requireOwnFolder } from '../../session/claim.js'
import type { Needs } from '../../session/needs.js'
import { writeConfig } from '../../session/outputs.js'
import { type Session, withSession } from '../../session/session.js'
import { resultOf, type TrainResult } from '../../stations/fit/train-result.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { loadSplits } from '../../stations/read/splits.js'
import { accuracyText, type FoldModel } from '../../stations/score/fold-model.js'
import { labelAccuracy, trainRewardModels } from '../../stations/score/reward-models.js'
import type { Pipeline } from '../pipeline-spec.js'

export const rewardTrain: Pipeline<TrainResult> = withSession(async (session) => {
  if (session.options.folds > 1) requireOwnFolder(session.options)
  return inOutputDir(session.options, true, () => trainIn(session))
})

async function trainIn(session: Session): Promise<TrainResult> {
  const { folds, outputDir, seed } = session.options
  checkDevelopment(session)
  if (session.options.rewardProbe) checkIdle(session, [OF_STEPS])
  const start = await loadStart(session)
  // Of several models each is measured on the prompts of its own fold: nothing else is held out.
  const { corpus, files } = await loadSplits(session, 2, folds > 1 ? 'align' : 'train')
  const data = await encodeCorpus(session, start, withoutPart(corpus, 'test'), 2)
  const models = await trainRewardModels(session, start, partOf(data, 'train'), {
    folds,
    seed,
    dir: (fold) => (folds === 1 ? outputDir : join(outputDir, `fold-${fold}`)),
    label: (fold) => (folds === 1 ? 'reward model' : `reward model, fold ${fold}`),
    data: files,
    stage: false,
    opened: () => writeConfig(session),
  })
  const { run, path } = models[models.length - 1]
  const accuracies = await sayAccuracies(session, models, partOf(data, 'dev'))
  const result = run ? resultOf(run) : { model: path, steps: 0, stopped: false, metrics: {} }
  return { ...result, outputDir, metrics: { ...result.metrics, ...accuracies } }
}

/** What a training has and a probe has not. */
const OF_STEPS: IdleKeys = {
  keys: [
    ...(Object.keys(trainSection) as ConfigKey[]).filter((key) => key !== 'max_tokens_per_batch'),
    ...(Object.keys(profileSection) as ConfigKey[]),
    ...LORA_KEYS,
    ...(['use_peft', 'logging_steps', 'save_steps', 'save_total_limit', 'report_to'] as const),
  ],
  reason: 'reward_probe fits the reward model at once, without steps',
  remedy: 'remove reward_probe',
}

/** @throws ClhaError (exit 2) for development data that several folds would not look at */
function checkDevelopment(session: Needs<'folds' | 'devFraction', 'config' | 'ui'>): void {
  const { folds, devFraction } = session.options
  if (folds === 1) return
  checkIdle(session, [
    {
      keys: devFraction > 0 ? ['eval_dataset', 'dev_fraction'] : ['eval_dataset'],
      reason: `of ${folds} folds each model is measured on the prompts of its own`,
      remedy: 'set folds: 1',
    },
  ])
}

/** Sizes alone are enough: then only the tokenizer and the template of the start model are used. */
async function loadStart(session: Session): Promise<LanguageModel> {
  const { options } = session
  const { modelNameOrPath, modelConfig, rewardModelConfig } = options
  const sizes = modelNameOrPath === undefined ? (modelConfig ?? rewardModelConfig) : undefined
  const start = await loadStartModel({ ...session, options: { ...options, modelConfig: sizes } }, 'any')
  requireAdapterOnQuantized(session)
  if (options.usePeft && !options.rewardProbe) checkAdapter(options, start.model)
  return start
}

/** Of several folds each on its own prompts, of a single model on those held out. @returns the metrics of the run */
async function sayAccuracies(
  { options, ui }: Needs<'folds' | 'maxTokensPerBatch', 'ui'>,
  models: readonly FoldModel[],
  heldOut: EncodedCorpus,
): Promise<Record<string, number>> {
  const metrics: Record<string, number> = {}
  const several = options.folds > 1
  for (const { fold, model, accuracy, path } of models) {
    const measured = several ? accuracy : await labelAccuracy({ options }, model, heldOut)
    if (!measured) continue
    ui.line(`${several ? `fold ${fold}: ` : ''}right on ${accuracyText(measured)} · ${path}`)
    metrics[several ? `held_out_accuracy_fold_${fold}` : 'held_out_accuracy'] = measured.value
  }
  return metrics
}

/** @throws ClhaError (exit 2) where a reward model can't begin as an adapter on the start model */
function checkAdapter(
  options: Pick<Options, 'rewardModelConfig' | 'modelNameOrPath'>,
  { adapter }: Decoder,
): void {
  if (options.rewardModelConfig !== undefined)
    throw usageError('use_peft: reward_model_config starts from random weights', 'remove one of them')
  if (adapter)
    throw usageError(
      `use_peft: ${options.modelNameOrPath} is an adapter itself`,
      'merge it (clha merge) and put the new adapter on what comes out',
    )
}
