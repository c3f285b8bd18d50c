/** The run folder of a probe: written whole, and read again where a run goes on with the same data and start model. */
import { join } from 'node:path'
import { DiskStorage } from '../../files/storage.js'
import { replaceFile } from '../../files/whole.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { tokenizerFiles } from '../../models/folders/save-model.js'
import { isProbeFolder, type ProbeConfig, readProbeConfig } from '../../models/probe/probe-folder.js'
import { probeFiles } from '../../models/probe/probe-save.js'
import { openRun } from '../../runs/open-run.js'
import { RUN_FILE } from '../../runs/run-manifest.js'
import { manifestOf } from '../../session/session.js'
import { scope } from '../../tensor/index.js'
import type { RewardModelOptions, RewardNeeds } from './fold-model.js'

/** What the folder of a fold says of the same fit, if it was made before and the run goes on. */
export function fittedBefore(
  { options }: Pick<RewardNeeds, 'options'>,
  dir: string,
  fittedTo: string,
): ProbeConfig | undefined {
  if (options.resumeFromCheckpoint === false || !isProbeFolder(dir)) return undefined
  const found = readProbeConfig(dir)
  return found.fitted_to === fittedTo ? found : undefined
}

interface Fitted extends RewardModelOptions {
  fold: number
  /** Folder of its tokenizer. */
  tokenizerDir: string
  config: Omit<ProbeConfig, 'format' | 'layers'>
}

export async function saveProbe(session: RewardNeeds, probe: Decoder, f: Fitted): Promise<void> {
  const storage = new DiskStorage()
  const dir = f.dir(f.fold)
  const goesOn =
    session.options.resumeFromCheckpoint !== false && storage.stat(join(dir, RUN_FILE)) !== undefined
  const run = openRun(dir, { ...manifestOf(session, f.label(f.fold), f.data), resume: goesOn })
  try {
    await f.opened?.()
    // Its config comes last: a folder that has it is whole.
    scope(() => {
      for (const { path, chunks } of [...tokenizerFiles(f.tokenizerDir), ...probeFiles(probe, f.config)])
        replaceFile(storage, join(dir, path), chunks())
    })
    run.setStatus('done')
  } finally {
    run.close()
  }
}
