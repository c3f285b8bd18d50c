/** `clha merge`: an adapter and its base as one model folder, written only when both say the same. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { copiedFile, type SaveFile } from '../../checkpoint/format/save-file.js'
import { numericsError, usageError } from '../../errors.js'
import { DiskStorage } from '../../files/storage.js'
import { writeFolder } from '../../files/whole.js'
import { loadModelAlone } from '../../load/language-model.js'
import { bitsAsked } from '../../load/quantized-options.js'
import { type Difference, largestDifference, mergeAdapter } from '../../models/adapters/adapter-merge.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { modelFiles } from '../../models/folders/save-model.js'
import { withSession } from '../../session/session.js'
import { figure } from '../../show/units.js'
import { type DType, noGrad, ops, scope } from '../../tensor/index.js'
import { TOKENIZER_FILES } from '../../text/tokenizer-files.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface MergeResult {
  /** Folder of the merged model. */
  exportDir: string
  /** Between the logits (or rewards) of adapter and merged model, before the weights are rounded to `dtype`. */
  largestDifference: number
  /** Largest absolute logit (or reward), to compare it with. */
  largestOutput: number
  /** Random tokens that were compared. */
  tokens: number
  dtype: string
}

export const merge: Pipeline<MergeResult, 'model_name_or_path' | 'export_dir'> = withSession(
  async (session) => {
    const { options, ui } = session
    const target = options.exportDir
    const bits = bitsAsked(options)
    if (bits)
      throw usageError(
        `load_in_${bits}bit has no effect: an adapter is merged into weights as they are stored`,
        'remove it',
      )
    requireFree(target)
    // Merging rounds once, when the result is saved: until then everything is f32 at least.
    const wide = session.dtype === 'f64' ? 'f64' : 'f32'
    const { model, tokenizerDir } = loadModelAlone(options, wide)
    try {
      if (!model.adapter)
        throw usageError(
          `${options.modelNameOrPath}: no adapter`,
          'name the adapter with adapter_name_or_path, or its folder as model_name_or_path',
        )
      const merged = mergeAdapter(model)
      try {
        const difference = largestDifference(model, merged)
        check(difference, options.mergeTolerance)
        ui.line(
          `largest difference ${figure(difference.largest)} between adapter and merged model, over ${difference.tokens} random ` +
            `tokens with outputs up to ${figure(difference.scale)}`,
        )
        if (session.dtype !== wide) narrow(merged, session.dtype)
        writeFolder(new DiskStorage(), target, [...modelFiles(merged), ...tokenizerFiles(tokenizerDir)])
        ui.line(`model    ${target}`)
        const { largest, scale, tokens } = difference
        return {
          exportDir: target,
          largestDifference: largest,
          largestOutput: scale,
          tokens,
          dtype: options.dtype,
        }
      } finally {
        merged.dispose()
      }
    } finally {
      model.dispose()
    }
  },
)

function requireFree(folder: string): void {
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw usageError(`${folder}: not empty`, 'give a new folder as export_dir')
}

/** @throws ClhaError (exit 5) when the two models say different things */
function check({ largest, scale }: Difference, tolerance: number): void {
  if (largest <= tolerance * Math.max(1, scale)) return
  throw numericsError(
    `adapter and merged model differ by ${figure(largest)}, more than ${tolerance} of the largest output, ${figure(scale)}`,
    'nothing was written; a merge_tolerance above this accepts it',
  )
}

/** Rounds the weights to the dtype that is saved. */
function narrow(model: Decoder, dtype: DType): void {
  for (const [name, weight] of model.weights) {
    model.weights.set(
      name,
      noGrad(() => scope(() => ops.to(weight, dtype))),
    )
    if (!model.borrowed?.has(weight)) weight.dispose()
  }
  model.dtype = dtype
}

function tokenizerFiles(folder: string): SaveFile[] {
  const storage = new DiskStorage()
  return TOKENIZER_FILES.filter((name) => existsSync(join(folder, name))).map((name) =>
    copiedFile(storage, join(folder, name), name),
  )
}
