/** `clha plan`: what a training will need, before anything of it is loaded. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { partOf } from '../../data/corpus.js'
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
import { type Fit, totalStepsOf } from '../../stations/fit/fit-options.js'
import { itemsOf } from '../../stations/fit/method-items.js'
import { globalBatch } from '../../stations/fit/policy.js'
import { checkActing } from '../../stations/rank/idle-keys.js'
import { loadRanked, plainlyRanked } from '../../stations/rank/ranked-data.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { loadSplits } from '../../stations/read/splits.js'
import { momentsOf, type Planned as PlannedInput, planInput } from '../../stations/rehearse/plan-input.js'
import { rewardItems } from '../../stations/score/fold-model.js'
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
      const result = await planOf(session, request.reward === true, device)
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

/** What a training is planned from. */
type Planned = Pick<Fit, 'items' | 'objective' | 'batchSize' | 'epochs' | 'maxSteps'> &
  Pick<PlannedInput, 'generates' | 'reference'>

async function planOf(
  session: Session<'train_dataset'>,
  reward: boolean,
  device: Device | undefined,
): Promise<PlanResult> {
  const { options } = session
  const lm = await loadShapes(session, reward ? 'reward' : 'lm')
  const planned = await (reward ? rewardPlan : policyPlan)(session, lm)
  const { items, objective, batchSize } = planned
  if (items.length === 0) throw usageError('no example is left to train on')
  const totalSteps = totalStepsOf(planned)
  const here = planInput(session, { ...planned, model: lm.model, totalSteps })
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
  const data = tokenFigures(encoded, objective.lastToken, batchSize)
  return {
    ...plan,
    machine: device ? device.name : 'this machine',
    parameters: input.shape.parameters,
    trained: input.shape.trained,
    data,
    disk: diskPlan(input.shape, {
      moments: momentsOf(options),
      saveTotalLimit: options.saveTotalLimit,
      keepsBest: options.loadBestModelAtEnd,
      saves: Math.ceil(totalSteps / Math.min(data.stepsPerEpoch, options.saveSteps ?? data.stepsPerEpoch)),
    }),
    flops: flops(plan.work),
    seconds: time,
    secondsPerStep: time / plan.steps,
    rate: 1 / rates.block,
    changes: bestChanges(changesFor(input, plan), plan.available),
  }
}

/** What `clha train` takes; rewards that are still to come change the order of answers, not their tokens. */
async function policyPlan(session: Session<'train_dataset'>, lm: LanguageModel): Promise<Planned> {
  const { options } = session
  const ranked = options.trainDataset.every(isRankedFile)
    ? partOf((await loadRanked(session)).corpus, 'train')
    : plainlyRanked(options, partOf((await loadSplits(session, 1, 'train')).corpus, 'train'))
  const items = await itemsOf(session, lm, ranked)
  const answers = Math.max(0, ...items.map(({ encoded }) => encoded.answers.length))
  return {
    items,
    objective: await objectiveOf(options, answers),
    batchSize: globalBatch(options),
    epochs: options.numTrainEpochs,
    maxSteps: options.maxSteps,
    generates: options.evalGenerationSteps !== undefined,
    reference: usesReference(options) ? items : undefined,
  }
}

/** What `clha reward train` takes for a model on all prompts. */
async function rewardPlan(session: Session<'train_dataset'>, lm: LanguageModel): Promise<Planned> {
  const { options } = session
  if (options.rewardProbe)
    throw usageError(
      'reward_probe: no training to plan: the start model reads every answer once',
      'plan the training of the policy, or remove reward_probe',
    )
  const { corpus } = await loadSplits(session, 2, options.folds > 1 ? 'align' : 'train')
  return {
    items: rewardItems(await encodeCorpus(session, lm, partOf(corpus, 'train'), 2)),
    objective: rewardObjective(options.centerRewardsCoefficient),
    batchSize: options.rewardPerDeviceTrainBatchSize,
    epochs: options.rewardNumTrainEpochs,
    maxSteps: options.rewardMaxSteps,
    generates: false,
  }
}
