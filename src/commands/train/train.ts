/** `clha train`: one method on preferences, judged answers or ranked lists. */
import type { EncodedExample } from '../../data/encode/encoded.js'
import { usageError } from '../../errors.js'
import { withMarker } from '../../load/answering-template.js'
import type { LanguageModel } from '../../load/language-model.js'
import { loadTrainable } from '../../load/trainable.js'
import { materialOf, usesMismatched, usesReference } from '../../methods/methods.js'
import { rankedItems, withMismatched } from '../../methods/policy-items.js'
import type { RankedList } from '../../rescore/ranked.js'
import { inOutputDir } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession, type Session } from '../../session/session.js'
import { count } from '../../show/units.js'
import { hindsightItems } from '../../stations/fit/hindsight-items.js'
import { fitPolicy, rankedHash } from '../../stations/fit/policy.js'
import { withReferences } from '../../stations/fit/references.js'
import type { TrainResult } from '../../stations/fit/train-result.js'
import { generationHook } from '../../stations/fit/watch.js'
import { loadRanked } from '../../stations/rank/ranked-data.js'
import { encodeData } from '../../stations/read/load-data.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { TrainingResult } from '../../train/loop/run.js'
import type { Pipeline } from '../pipeline.js'

export const train: Pipeline<TrainResult> = async (config, ui) => {
  const session = await openSession(config, ui)
  return inOutputDir(session.options, true, async () => {
    const result = resultOf(await trainIn(session))
    sayEnd(session, result)
    return result
  })
}

async function trainIn(session: Session): Promise<TrainingResult> {
  const { options, ui } = session
  const start = await loadTrainable(session)
  const { train, dev, files, write } = await loadRanked(session)
  const groups = [await itemsOf(session, start, train), await itemsOf(session, start, dev)]
  requireSomething(session, groups[0])
  const [items, devItems] = usesReference(options) ? await withReferences(session, start, groups) : groups
  if (materialOf(options) === 'pairs') {
    const contrasted = groups[0].filter(({ pairs }) => pairs.some((p) => p.weight > 0)).length
    const lists = `${count(train.length)} lists, ${count(contrasted)} of them contrasted`
    ui.line(`${lists} · ${count(dev.length)} lists held out`)
  }
  const held = dev.map(({ example }) => example)
  const { learningRate, numTrainEpochs: epochs, maxSteps, outputDir: dir, method } = options
  return fitPolicy(session, start, {
    kind: method,
    dir,
    items,
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
    generate: generationHook(session, answeringModel(session, start), held),
    trajectory: { ranked: rankedHash(train) },
  })
}

/** A model that is trained to answer behind a marker is asked so, too. */
function answeringModel({ options }: Session, lm: LanguageModel): LanguageModel {
  if (options.method !== 'coh') return lm
  return { ...lm, template: withMarker(lm.template, options.cohPositive) }
}

/** @throws ClhaError (exit 2) when no step could move anything */
function requireSomething({ options }: Session, items: readonly TrainItem[]): void {
  const counts = ({ pairs, rows = [] }: TrainItem) => [...pairs, ...rows].some(({ weight }) => weight > 0)
  const judges = materialOf(options) === 'pairs' || materialOf(options) === 'rows'
  if (!judges || options.sftWeight > 0 || items.length === 0 || items.some(counts)) return
  throw usageError(
    `method: ${options.method}: no answer is preferred to another, so nothing can be learnt`,
    'label_source: human needs labels in the data; label_source: reward needs rewards; a lower min_confidence keeps more pairs',
  )
}

/** Ranked lists as the method takes them, in tokens. */
export async function itemsOf(
  session: Session,
  lm: LanguageModel,
  lists: readonly RankedList[],
): Promise<TrainItem[]> {
  const { options } = session
  if (options.mode === 'legacy') checkLegacy(lists)
  if (materialOf(options) === 'sequences') return hindsightItems(session, lm, lists)
  const { examples, encoded } = await encodeData(
    session,
    lm,
    lists.map((l) => l.example),
    1,
  )
  const byExample = new Map(examples.map((e, i): [unknown, EncodedExample] => [e, encoded[i]]))
  const kept = lists.filter((l) => byExample.has(l.example))
  const items = rankedItems(
    session,
    kept,
    kept.map((l) => byExample.get(l.example) as EncodedExample),
  )
  return usesMismatched(options) ? withMismatched(items, options.maxLength) : items
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
