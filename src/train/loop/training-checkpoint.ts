/** A checkpoint of training: the model as a Hugging Face folder, the optimizer's moments, the state of the run. */
import { join } from 'node:path'
import { openSafetensors } from '../../checkpoint/format/safetensors.js'
import { type SaveFile, safetensorsFile, textFile } from '../../checkpoint/format/save-file.js'
import { openModelFiles } from '../../checkpoint/format/sharded-model.js'
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { type TrainingState, trainingStateFile } from '../../checkpoint/policy/state.js'
import { noCheckpointError } from '../../errors.js'
import { trainableWeights } from '../../models/adapters/adapter.js'
import { ADAPTER_WEIGHTS } from '../../models/adapters/adapter-config.js'
import { adapterFiles } from '../../models/adapters/adapter-save.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { reloadWeights } from '../../models/folders/load-model.js'
import { readOver } from '../../models/folders/read-tensor.js'
import { modelFiles, tensorsToWrite, tokenizerFiles } from '../../models/folders/save-model.js'
import type { Optimizer } from '../../optim/optimizer.js'
import { formatTrainerState, TRAINER_STATE_FILE, type TrainerState } from '../../runs/trainer-state.js'
import { DTYPES, type Tensor } from '../../tensor/index.js'

const OPTIMIZER_FILE = 'optimizer.safetensors'

export interface CheckpointParts {
  model: Decoder
  optimizer: Optimizer
  state: TrainingState
  trainerState: TrainerState
  /** Folder whose tokenizer files go along. */
  tokenizerDir: string
}

export function checkpointFiles({
  model,
  optimizer,
  state,
  trainerState,
  tokenizerDir,
}: CheckpointParts): SaveFile[] {
  return [
    ...(model.adapter ? adapterFiles(model) : modelFiles(model)),
    ...tokenizerFiles(tokenizerDir),
    safetensorsFile(OPTIMIZER_FILE, tensorsToWrite(optimizer.state())),
    textFile(TRAINER_STATE_FILE, formatTrainerState(trainerState)),
    trainingStateFile(state),
  ]
}

/** Reads over tensors that are already there, name by name. */
function restore(source: TensorSource, targets: Iterable<readonly [string, Tensor]>, where: string): void {
  for (const [name, tensor] of targets) {
    const { shape } = tensor
    const dtype = DTYPES[tensor.dtype].safetensors
    const entry = source.entries.get(name)
    if (entry?.dtype !== dtype || entry.shape.join() !== shape.join()) {
      const found = entry ? `${entry.dtype} [${entry.shape}]` : 'nothing'
      throw noCheckpointError(`${where}: expected ${name} as ${dtype} [${shape}], found ${found}`)
    }
    readOver(source, name, tensor)
  }
  source.close()
}

/** Overwrites the weights that are trained with a checkpoint's. */
export function restoreWeights(checkpoint: string, model: Decoder): void {
  if (!model.adapter) reloadWeights(checkpoint, model)
  else restore(openModelFiles(checkpoint, ADAPTER_WEIGHTS), trainableWeights(model), checkpoint)
}

/** Overwrites the optimizer's moments and counts with a checkpoint's. */
export function restoreOptimizer(checkpoint: string, optimizer: Optimizer): void {
  restore(openSafetensors(join(checkpoint, OPTIMIZER_FILE)), optimizer.state(), checkpoint)
}
