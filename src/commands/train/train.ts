/** `clha train`: one method on preferences, judged answers or ranked lists. */
import { partOf } from '../../data/corpus.js'
import { readSizes } from '../../load/language-model.js'
import { loadTrainable } from '../../load/trainable.js'
import { headOfFolder } from '../../models/adapters/adapter-load.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { inOutputDir } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { type Session, withSession } from '../../session/session.js'
import { shellPath } from '../../show/shell.js'
import { amount } from '../../show/units.js'
import { trainPolicy } from '../../stations/fit/policy.js'
import { resultOf, type TrainResult } from '../../stations/fit/train-result.js'
import { checkActing } from '../../stations/rank/idle-keys.js'
import { readRankable } from '../../stations/rank/ranked-data.js'
import type { Ui } from '../../terminal/ui.js'
import type { Pipeline } from '../pipeline-spec.js'

export const train: Pipeline<TrainResult> = withSession((session) =>
  inOutputDir(session.options, true, () => trainIn(session)),
)

async function trainIn(session: Session): Promise<TrainResult> {
  const { learningRate, numTrainEpochs: epochs, maxSteps, outputDir: dir, method: kind } = session.options
  checkActing(session)
  lookAtStart(session.options)
  const rank = await readRankable(session)
  const start = await loadTrainable(session)
  const { corpus, files, write } = await rank()
  const run = await trainPolicy(session, start, corpus, {
    kind,
    dir,
    files,
    learningRate,
    epochs,
    maxSteps,
    stage: false,
    watch: { held: partOf(corpus, 'dev').examples },
    async opened() {
      await writeConfig(session)
      await write?.()
    },
  })
  const result = resultOf(run)
  sayEnd(session.ui, result)
  return result
}

/** What its config says of the start model; its weights are read when the data are known to do. */
function lookAtStart({ modelNameOrPath, adapterNameOrPath, modelConfig }: Session['options']): void {
  const adapter = adapterNameOrPath && resolveModelFolder(adapterNameOrPath)
  if (modelNameOrPath !== undefined) headOfFolder(resolveModelFolder(modelNameOrPath), adapter)
  else if (typeof modelConfig === 'string') readSizes(modelConfig)
}

function sayEnd(ui: Ui, { outputDir, model, steps, stopped }: TrainResult): void {
  if (!stopped) ui.line(`model    ${model}`)
  else
    ui.line(
      `stopped after ${amount(steps, 'step')}; go on with --resume-from-checkpoint ${shellPath(outputDir)}`,
    )
}
