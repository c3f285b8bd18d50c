/** Small checkpoints for tests of saving and resuming. */

import { type SaveFile, textFile } from '../../src/checkpoint/format/save-file.js'
import { saveCheckpoint } from '../../src/checkpoint/policy/save.js'
import { readWhole, type Storage } from '../../src/files/storage.js'

export const RUN = '/run'

/** Two files whose content names their step; the larger one comes in several chunks. */
export function filesOf(step: number, bytes = 600): SaveFile[] {
  const block = Buffer.alloc(bytes / 3, `weights of step ${step} `)
  return [
    { path: 'model.safetensors', bytes: block.length * 3, chunks: () => [block, block, block] },
    textFile('training_state.json', JSON.stringify({ step })),
  ]
}

export function save(storage: Storage, step: number, runDir = RUN, bytes = 600): void {
  saveCheckpoint(storage, runDir, step, filesOf(step, bytes), {
    configSha256: 'c'.repeat(64),
    pause: () => {},
  })
}

/** Does the checkpoint hold what `save` was given? */
export function holds(storage: Storage, path: string, step: number, bytes = 600): boolean {
  return filesOf(step, bytes).every((file) =>
    readWhole(storage, `${path}/${file.path}`).equals(Buffer.concat([...file.chunks()])),
  )
}
