/** `clha plan`: what a training will need, before anything of it is loaded. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partOf } from '../../data/corpus.js'
import { stepsPerEpoch } from '../../data/encode/order.js'
import { usageError } from '../../errors.js'
import type { LanguageModel } from '../../load/language-model.js'
import { loadShapes } from '../../load/load-shapes.js'
import { objectiveOf, usesReference } from '../../methods/registry.js'
import { bestChanges, changesFor } from '../../plan/advice.js'
import { DEVICE_PROGRAM, DEVICES, type Device, deviceRates, type Rates } from '../../plan/devices.js'
import { diskPlan } from '../../plan/disk.js'
import { flops, type PlanInput, planTraining, seconds } from '../../plan/plan.js'
import { tokenFigures } from '../../plan/tokens.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import { openSession, type Session } from '../../session/session.js'
import { itemsOf } from '../../stations/fit/method-items.js'
import { checkActing } from '../../stations/rank/idle-keys.js'
import { loadRanked, plainlyRanked } from '../../stations/rank/ranked-data.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { loadSplits } from '../../stations/read/splits.js'
import { momentsOf, planInput } from '../../stations/rehearse/plan-input.js'
import type { TrainItem } from '../../train/loop/items.js'
import { rewardObjective } from '../../train/objectives/objective.js'
import type { Pipeline } from '../pipeline-spec.js'
import { measureRates } from './measure-rates.js'
import type { PlanResult } from './plan-result.js'
import { sayPlan } from './say-plan.js'

export interface PlanRequest {
  /** A name of `DEVICES`; this machine when left out. */
  device?: string
  /** Of `clha reward train`, in place of `clha train`. */
  reward?: boolean
}

export const planPipeline =
  (request: PlanRequest): Pipeline<PlanResult, 'train_dataset'> =>
  async (config, ui) => {
    const device = deviceOf(request.device)
    const opened = await openSession(config, ui, 'cpu')
    // Rows that are left out are listed in the output folder: a plan leaves none behind.
    const outputDir = mkdtempSync(join(tmpdir(), 'clha-plan-'))
    const session = { ...opened, options: { ...opened.options, outputDir } }
    try {
      if (!request.reward) checkActing(session)
      const result = await made(session, request.reward === true, device)
      sayPlan(ui, { ...session.options, ...result })
      return result
    } finally {
      rmSync(outputDir, { recursive: true, force: true })
    }
  }

function deviceOf(name: string | undefined): Device | undefined {
  if (name === undefined) return undefined
  const found = DEVICES[name.toLowerCase()]
  if (found) return found
  throw usageError(`--device ${name}: not a known device`, `known: ${Object.keys(DEVICES).join(', ')}`)
}

async function made(
  session: Session<'train_dataset'>,
  reward: boolean,
  device: Device | undefined,
): Promise<PlanResult> {
  const { options } = session
  const lm = await loadShapes(session, reward ? 'reward' : 'lm')
  const items = reward ? await rewardItems(session, lm) : await policyItems(session, lm)
  if (items.length === 0) throw usageError('no example is left to train on')
  const answers = Math.max(0, ...items.map(({ encoded }) => encoded.answers.length))
  const objective = reward ? rewardObjective(0) : await objectiveOf(options, answers)
  const batchSize = reward
    ? options.rewardPerDeviceTrainBatchSize
    : options.perDeviceTrainBatchSize * options.gradientAccumulationSteps
  const epochs = reward ? options.rewardNumTrainEpochs : options.numTrainEpochs
  const perEpoch = stepsPerEpoch(items.length, batchSize)
  const totalSteps =
    (reward ? options.rewardMaxSteps : options.maxSteps) ?? Math.max(1, Math.round(epochs * perEpoch))
  const here = planInput(session, {
    ...{ model: lm.model, items, objective, batchSize, totalSteps },
    generates: !reward && options.evalGenerationSteps !== undefined,
    reference: !reward && usesReference(options) ? items : undefined,
  })
  const input: PlanInput = device ? { ...here, program: DEVICE_PROGRAM, available: device.memory } : here
  const plan = planTraining(input)
  const { largest, microBatches, tokens } = plan
  const share = tokens / microBatches / largest.tokens
  const typical = {
    tokens: tokens / microBatches,
    scored: largest.scored * share,
    keys: largest.keys * share,
  }
  const rates: Rates = device
    ? deviceRates(device, input.shape)
    : measureRates(session, lm.model, typical, plan.recompute)
  const time = seconds(plan.work, rates)
  const encoded = items.map((item) => item.encoded)
  return {
    ...plan,
    machine: device ? device.name : 'this machine',
    parameters: input.shape.parameters,
    trained: input.shape.trained,
    data: tokenFigures(encoded, objective.lastToken, batchSize),
    disk: diskPlan(input.shape, {
      moments: momentsOf(options),
      saveTotalLimit: options.saveTotalLimit,
      keepsBest: options.loadBestModelAtEnd,
      saves: Math.ceil(totalSteps / Math.min(perEpoch, options.saveSteps ?? perEpoch)),
    }),
    flops: flops(plan.work),
    seconds: time,
    secondsPerStep: time / plan.steps,
    rate: 1 / rates.block,
    changes: bestChanges(changesFor(input, plan), plan.available),
  }
}

/** What `clha train` takes; rewards that are still to come change the order of answers, not their tokens. */
async function policyItems(session: Session<'train_dataset'>, lm: LanguageModel): Promise<TrainItem[]> {
  const { options } = session
  if (options.trainDataset.every(isRankedFile))
    return itemsOf(session, lm, partOf((await loadRanked(session)).corpus, 'train'))
  const { corpus } = await loadSplits(session, 1, 'train')
  return itemsOf(session, lm, plainlyRanked(options, partOf(corpus, 'train')))
}

async function rewardItems(session: Session, lm: LanguageModel): Promise<TrainItem[]> {
  const { corpus } = await loadSplits(session, 2, 'train')
  const { encoded } = await encodeCorpus(session, lm, partOf(corpus, 'train'), 2)
  return encoded.map((e) => ({ encoded: e, pairs: [], sft: { index: 0, weight: 0 }, labels: [] }))
}
