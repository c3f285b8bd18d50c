/** `clha train`: CLHA on ranked lists or on preferences with rewards; or SFT on the human-chosen answers. */
import type { EncodedExample } from '../data/encoded.js'
import { usageError } from '../errors.js'
import type { RankedList } from '../rescore/ranked.js'
import { count } from '../terminal/units.js'
import type { TrainingResult } from '../train/run.js'
import { inOutputDir } from './claim.js'
import { encodeData } from './data.js'
import { writeConfig } from './files.js'
import { type LanguageModel, loadStartModel } from './language-model.js'
import type { Pipeline, TrainResult } from './pipeline.js'
import { fitClha, fitSft, rankedHash, rankedItems, sftItems } from './policy.js'
import { isRankedFile, loadRanked } from './ranked-data.js'
import { openSession, type Session } from './session.js'
import { loadSplits } from './splits.js'
import { generationHook } from './train-generation.js'

export const train: Pipeline<TrainResult> = async (config, ui) => {
  const session = openSession(config, ui)
  return inOutputDir(session.options, true, async () => {
    const result = resultOf(await trainIn(session))
    sayEnd(session, result)
    return result
  })
}

async function trainIn(session: Session): Promise<TrainingResult> {
  const start = await loadStartModel(session)
  const ranked = [session.options.trainDataset as string | string[]].flat().every(isRankedFile)
  const sft = session.options.method === 'sft' && !ranked
  return sft ? trainSft(session, start) : trainRanked(session, start)
}

async function trainSft(session: Session, start: LanguageModel): Promise<TrainingResult> {
  const { train, dev, files } = await loadSplits(session, 1, 'train')
  const data = await encodeData(session, start, train, 1)
  const devData = await encodeData(session, start, dev, 1)
  const { learningRate, numTrainEpochs: epochs, maxSteps, outputDir: dir } = session.options
  return fitSft(session, start, {
    kind: 'sft',
    dir,
    items: sftItems(data.examples, data.encoded),
    devItems: sftItems(devData.examples, devData.encoded),
    data: files,
    learningRate,
    epochs,
    maxSteps,
    stage: false,
    opened: () => writeConfig(session),
    generate: generationHook(session, start, devData.examples),
  })
}

async function trainRanked(session: Session, start: LanguageModel): Promise<TrainingResult> {
  const { train, dev, files, write } = await loadRanked(session)
  const trainItems = await itemsOf(session, start, train)
  const devItems = await itemsOf(session, start, dev)
  const contrasted = train.filter((l) => l.pairs.some((p) => p.weight > 0)).length
  session.ui.line(
    `${count(train.length)} lists, ${count(contrasted)} of them contrasted · ${count(dev.length)} lists held out`,
  )
  const { learningRate, numTrainEpochs: epochs, maxSteps, outputDir: dir, method } = session.options
  const generate = generationHook(
    session,
    start,
    dev.map(({ example }) => example),
  )
  const policy = {
    dir,
    items: trainItems,
    devItems,
    data: files,
    learningRate,
    epochs,
    maxSteps,
    stage: false,
    opened: async () => {
      await writeConfig(session)
      await write?.()
    },
    generate,
  }
  const trajectory = { ranked: rankedHash(train) }
  if (method === 'sft') return fitSft(session, start, { ...policy, kind: 'sft', trajectory })
  return fitClha(session, start, { ...policy, kind: 'clha', trajectory })
}

export async function itemsOf(session: Session, lm: LanguageModel, lists: readonly RankedList[]) {
  if (session.options.mode === 'legacy') checkLegacy(lists)
  const { examples, encoded } = await encodeData(
    session,
    lm,
    lists.map((l) => l.example),
    1,
  )
  const byExample = new Map(examples.map((e, i): [unknown, EncodedExample] => [e, encoded[i]]))
  const kept = lists.filter((l) => byExample.has(l.example))
  return rankedItems(
    session,
    kept,
    kept.map((l) => byExample.get(l.example) as EncodedExample),
  )
}

/** The paper's code takes lists of one length, sorted by falling reward. */
function checkLegacy(lists: readonly RankedList[]): void {
  for (const { example, rewards, order } of lists) {
    const where = `${example.file}:${example.row}`
    if (example.candidates.length !== lists[0].example.candidates.length) {
      throw usageError(
        `${where}: ${example.candidates.length} answers, the first list has ${lists[0].example.candidates.length}`,
        'mode: legacy takes lists of one length',
      )
    }
    if (order.some((c, i) => i > 0 && rewards[c] > rewards[order[i - 1]])) {
      throw usageError(
        `${where}: the list is not ordered by falling reward`,
        'mode: legacy takes lists sorted by reward: rescore them with mode: legacy',
      )
    }
  }
}

export function sayEnd({ ui }: Session, { outputDir, model, steps, stopped }: TrainResult): void {
  if (!stopped) ui.line(`model    ${model}`)
  else ui.line(`stopped after ${count(steps)} steps; go on with --resume-from-checkpoint ${outputDir}`)
}

export function resultOf({ dir, model, outcome }: TrainingResult): TrainResult {
  return { outputDir: dir, model, steps: outcome.step, stopped: outcome.stopped, metrics: outcome.metrics }
}
