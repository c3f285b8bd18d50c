/** `clha align`: from preferences to an aligned model that was compared with what it started from. */
import type { Options } from '../../config/options.js'
import { partOf } from '../../data/corpus.js'
import { usageError } from '../../errors.js'
import { requireFreeTargets } from '../../files/targets.js'
import { loadTrainable } from '../../load/trainable.js'
import { isAlignment } from '../../methods/registry.js'
import { inOutputDir, requireOwnFolder } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { withSession } from '../../session/session.js'
import { sayingStop } from '../../session/stopped.js'
import { shellPath } from '../../show/shell.js'
import { amount, count } from '../../show/units.js'
import { checkScorers } from '../../stations/evaluate/eval-models.js'
import { rescoredFile } from '../../stations/rank/rescored-file.js'
import { dataRead } from '../../stations/read/data-read.js'
import { loadData } from '../../stations/read/load-data.js'
import { loadSplits } from '../../stations/read/splits.js'
import type { Pipeline } from '../pipeline-spec.js'
import { reportStation } from './align-report.js'
import type { AlignResult } from './align-result.js'
import { type AlignData, type Alignment, station, withAlignment } from './alignment.js'
import { evaluateStation } from './evaluate-aligned.js'
import { prepareStations } from './prepare.js'
import { alignedOf, policyStations, rescoreStation } from './rounds.js'
import { requireSameSettings } from './same-settings.js'
import { resultOf, stoppedResult } from './say-report.js'

const KEPT = 'what is done is kept. Go on with the same command and --resume-from-checkpoint true'

export const align: Pipeline<AlignResult> = withSession(async (session) => {
  const { options, ui } = session
  requireOwnFolder(options)
  return inOutputDir(options, true, async () => {
    requireAlignable(options)
    requireSameSettings(session.config, options.outputDir)
    checkScorers(options)
    const read = await dataRead(options, ['trainDataset', 'evalDataset', 'sftDataset', 'relabels'])
    requireFreeTargets([rescoredFile(options.outputDir)], read)
    const start = await loadTrainable(session)
    const work = () => withAlignment(session, start, alignIn)
    return sayingStop(ui, KEPT, work, () => stoppedResult(options.outputDir))
  })
})

/** The stations, a line each. */
async function alignIn(a: Alignment): Promise<AlignResult> {
  const data = await dataStation(a)
  const prepared = await prepareStations(a, data)
  const rescored = await rescoreStation(a, data, prepared)
  const policies = await policyStations(a, data, prepared, rescored)
  const aligned = alignedOf(prepared, rescored, policies)
  const evaluation = await evaluateStation(a, data, aligned, judgingOf(a))
  const report = await reportStation(a, data, aligned, evaluation, toldOf(a))
  return resultOf(a, aligned, report)
}

/** @throws ClhaError (exit 2) for what `clha align` can't do */
function requireAlignable(
  options: Pick<Options, 'method' | 'modelNameOrPath' | 'sftNumTrainEpochs' | 'adapterNameOrPath'>,
): void {
  if (!isAlignment(options)) {
    const text = `method: ${options.method}: clha align aligns with CLHA`
    throw usageError(text, 'for SFT alone: clha train --method sft')
  }
  if (options.modelNameOrPath === undefined && options.sftNumTrainEpochs === 0) {
    throw usageError(
      'model_config starts from random weights and sft_num_train_epochs is 0',
      'a new model needs an SFT start',
    )
  }
  if (options.adapterNameOrPath !== undefined) {
    const text = 'adapter_name_or_path: clha align starts from one folder'
    throw usageError(text, "name the adapter's folder as model_name_or_path; it names its base")
  }
}

/** Reads and splits the data; sft_dataset gives answers of its own for the start. */
async function dataStation(a: Alignment): Promise<AlignData> {
  const { session } = a
  const { sftDataset } = session.options
  const { train, test, files } = await station(a, 'data', async () => {
    const { corpus, files } = await loadSplits(session, 2, 'align')
    const [train, test] = [partOf(corpus, 'train').examples, partOf(corpus, 'test').examples]
    session.ui.line(
      `${amount(train.length, 'list')} to train on · ${count(test.length)} held out for the evaluation`,
    )
    return { train, test, files }
  })
  const own = sftDataset === undefined ? undefined : await loadData(session, sftDataset, 1)
  await writeConfig(session)
  return { train, test, files, demonstrations: own?.examples }
}

const judgingOf = ({ session: { options } }: Alignment) => ({
  temperatures: [options.temperature],
})

const toldOf = ({ session: { config } }: Alignment) => ({
  title: 'Alignment',
  command: config.file && `clha align ${shellPath(config.file)}`,
  notes: ['Intervals are 95 %, over prompts, of one seed.'],
})
