/** `clha reward train`: a reward model from preferences; with several folds, one that never scores what it was trained on. */
import { join } from 'node:path'
import { usageError } from '../../errors.js'
import { loadStartModel } from '../../load/language-model.js'
import { requireAdapterOnQuantized } from '../../load/quantized-options.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { inOutputDir } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession, type Session } from '../../session/session.js'
import { count, percent } from '../../show/units.js'
import type { TrainResult } from '../../stations/fit/train-result.js'
import { encodeData } from '../../stations/read/load-data.js'
import { loadSplits } from '../../stations/read/splits.js'
import { type Accuracy, labelAccuracy, trainRewardModels } from '../../stations/score/reward-models.js'
import type { Pipeline } from '../pipeline.js'
import { resultOf } from '../train/train.js'

export const accuracyText = ({ value, low, high, pairs }: Accuracy): string =>
  `${percent(value)} (${percent(low)}–${percent(high)}) of ${count(pairs)} held-out human labels`

export const rewardTrain: Pipeline<TrainResult> = async (config, ui) => {
  const session = await openSession(config, ui)
  return inOutputDir(session.options, true, () => trainIn(session))
}

async function trainIn(session: Session): Promise<TrainResult> {
  const { ui } = session
  const { folds, outputDir, seed, modelNameOrPath, modelConfig, rewardModelConfig } = session.options
  // Sizes alone are enough: then only the tokenizer and the template of the start model are used.
  const sizes = modelNameOrPath === undefined ? (modelConfig ?? rewardModelConfig) : undefined
  const start = await loadStartModel(
    { ...session, options: { ...session.options, modelConfig: sizes } },
    'any',
  )
  requireAdapterOnQuantized(session)
  if (session.options.usePeft) checkAdapter(session, start.model)
  const { train, dev, files } = await loadSplits(session, 2, 'train')
  const data = await encodeData(session, start, train, 2)
  const heldOut = await encodeData(session, start, dev, 2)
  const models = await trainRewardModels(session, start, data, {
    folds,
    seed,
    dir: (fold) => (folds === 1 ? outputDir : join(outputDir, `fold-${fold}`)),
    label: (fold) => (folds === 1 ? 'reward model' : `reward model, fold ${fold}`),
    data: files,
    stage: false,
    opened: () => writeConfig(session),
  })
  const last = models[models.length - 1]
  const metrics: Record<string, number> = { ...last.run.outcome.metrics }
  for (const { fold, model, accuracy, run } of models) {
    const measured = folds > 1 ? accuracy : await labelAccuracy(session, model, heldOut)
    if (!measured) continue
    ui.line(`${folds > 1 ? `fold ${fold}: ` : ''}right on ${accuracyText(measured)} · ${run.model}`)
    metrics[folds > 1 ? `held_out_accuracy_fold_${fold}` : 'held_out_accuracy'] = measured.value
  }
  return { ...resultOf(last.run), outputDir, metrics }
}

/** @throws ClhaError (exit 2) where a reward model can't begin as an adapter on the start model */
function checkAdapter({ options }: Session, { adapter }: Decoder): void {
  if (options.rewardModelConfig !== undefined)
    throw usageError('use_peft: reward_model_config starts from random weights', 'remove one of them')
  if (adapter)
    throw usageError(
      `use_peft: ${options.modelNameOrPath} is an adapter itself`,
      'merge it (clha merge) and put the new adapter on what comes out',
    )
}
