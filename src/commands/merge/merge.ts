/** `clha merge`: an adapter and its base as one model folder, written only when both say the same. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { copiedFile, type SaveFile } from '../../checkpoint/format/save-file.js'
import { openModelFiles } from '../../checkpoint/format/sharded-model.js'
import { numericsError, usageError } from '../../errors.js'
import { DiskStorage } from '../../files/storage.js'
import { writeFolder } from '../../files/whole.js'
import { loadModelAlone } from '../../load/language-model.js'
import { bitsAsked } from '../../load/quantized-options.js'
import { baseFolderOf } from '../../models/adapters/adapter-load.js'
import { type Difference, largestDifference, mergeAdapter } from '../../models/adapters/adapter-merge.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { HF_DTYPES, modelFiles } from '../../models/folders/save-model.js'
import { withSession } from '../../session/session.js'
import { figure } from '../../show/units.js'
import { type DType, dtypeOfSafetensors, noGrad, ops, scope } from '../../tensor/index.js'
import { GENERATION_CONFIG, holderOf, TOKENIZER_FILES } from '../../text/tokenizer-files.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface MergeResult {
  /** Folder of the merged model. */
  exportDir: string
  /** Between the logits (or rewards) of adapter and merged model, before the weights are rounded to what is saved. */
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
    const kept = session.config.origin.dtype === 'default'
    const base = baseFolderOf(resolveModelFolder(options.modelNameOrPath))
    const stored = kept ? storedDtypes(base) : undefined
    // Merging rounds once, when the result is saved: until then everything is f32 at least.
    const wide = (stored?.main ?? session.dtype) === 'f64' ? 'f64' : 'f32'
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
        narrow(merged, stored ?? { main: session.dtype, of: () => session.dtype })
        writeFolder(new DiskStorage(), target, [...modelFiles(merged), ...tokenizerFiles(tokenizerDir, base)])
        const dtype = HF_DTYPES[merged.dtype] ?? merged.dtype
        ui.line(`model    ${target} · ${dtype}${kept ? ', as its base is stored; dtype sets another' : ''}`)
        const { largest, scale, tokens } = difference
        return {
          exportDir: target,
          largestDifference: largest,
          largestOutput: scale,
          tokens,
          dtype,
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

interface SavedDtypes {
  /** What config.json says. */
  main: DType
  of(weight: string): DType
}

/** The dtypes of a model's files: each tensor's own, and that of most numbers. */
function storedDtypes(folder: string): SavedDtypes {
  const files = openModelFiles(folder)
  const own = new Map<string, DType>()
  const numbers = new Map<DType, number>()
  for (const [name, { dtype: stored, shape }] of files.entries) {
    const dtype = dtypeOfSafetensors(stored)
    if (dtype === undefined || HF_DTYPES[dtype] === undefined) continue
    own.set(name, dtype)
    numbers.set(dtype, (numbers.get(dtype) ?? 0) + shape.reduce((a, b) => a * b, 1))
  }
  files.close()
  const [[main]] = [...numbers, ['f32', 0] as const].sort(([, a], [, b]) => b - a)
  return { main, of: (weight) => own.get(weight) ?? own.get(bareName(weight)) ?? main }
}

/** Files of a bare base model leave out the prefix. */
const bareName = (weight: string): string => weight.slice(weight.indexOf('.') + 1)

/** Rounds the weights to the dtypes that are saved. @throws ClhaError (exit 5) where one becomes too large for its own */
function narrow(model: Decoder, { main, of }: SavedDtypes): void {
  for (const [name, weight] of model.weights) {
    const dtype = of(name)
    if (weight.dtype === dtype) continue
    const rounded = noGrad(() => scope(() => ops.to(weight, dtype)))
    if (scope(() => ops.all(ops.isFinite(rounded)).item()) === 0)
      throw numericsError(
        `${name}: not finite in ${HF_DTYPES[dtype]}`,
        'nothing was written; dtype: float32 or bfloat16 holds larger numbers',
      )
    model.weights.set(name, rounded)
    if (!model.borrowed?.has(weight)) weight.dispose()
  }
  model.dtype = main
}

/** An adapter's tokenizer comes without the base's generation_config.json, which says where answers end. */
function tokenizerFiles(folder: string, base: string): SaveFile[] {
  const storage = new DiskStorage()
  const path = (name: string) =>
    join(name === GENERATION_CONFIG ? holderOf(name, folder, base) : folder, name)
  return TOKENIZER_FILES.filter((name) => existsSync(path(name))).map((name) =>
    copiedFile(storage, path(name), name),
  )
}
