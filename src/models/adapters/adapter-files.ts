/** The tensors of a PEFT file: held against the model, then handed over one by one. */
import { join } from 'node:path'
import { openSafetensors } from '../../checkpoint/format/safetensors.js'
import type { TensorEntry } from '../../checkpoint/format/safetensors-header.js'
import type { TensorSource } from '../../checkpoint/format/tensor-source.js'
import { usageError } from '../../errors.js'
import { shapeOf } from '../../nn/projection.js'
import { allocate, type DType, dtypeOfSafetensors, onDevice, ops, type Tensor } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { bitsOf } from '../decoder/quantized.js'
import { cutEmbeddings, resizeEmbeddings } from '../decoder/resize.js'
import { type AdapterSource, loraName, loraParts, mapShapes, wholeWeights } from './adapter.js'
import { ADAPTER_WEIGHTS, type AdapterConfig } from './adapter-config.js'
import { savedTie, vocabularyModules, weightOf } from './adapter-targets.js'

export const tornApart = (folder: string, kept = false) =>
  usageError(
    `${folder}: ${kept ? 'holds' : 'modules_to_save trains'} the embedding apart from the LM head, which are one matrix in the base`,
    'merge the adapter with PEFT (merge_and_unload) and use the merged model',
  )

interface Stored {
  files: TensorSource
  folder: string
  /** Name in the file of each plain name. */
  names: ReadonlyMap<string, string>
}

/**
 * @throws ClhaError (exit 2) naming what the file lacks, has too much, or has in another shape
 */
export function checkedSource(
  files: TensorSource,
  model: Decoder,
  config: AdapterConfig,
  folder: string,
): AdapterSource {
  const names = namesIn(files)
  const stored: Stored = { files, folder, names }
  const { expected, kept, vocabulary } = expectedIn(stored, model, config)
  requireNoFaults(stored, expected, model.config.family)
  requireTied(stored, model, config)
  const read = (plain: string, shape: readonly number[], dtype: DType): Tensor => {
    const name = names.get(plain) as string
    const found = dtypeOfSafetensors(files.entries.get(name)?.dtype as string) as DType
    const tensor = allocate(shape, found)
    files.readInto(name, tensor.bytes())
    const placed = onDevice(tensor)
    return found === dtype ? placed : ops.to(placed, dtype)
  }
  return {
    lora: (module, part, shape, dtype) => read(loraName(module, part), shape, dtype),
    saved: (weight, base) => read(weight, shapeOf(base), model.scales.has(weight) ? model.dtype : base.dtype),
    kept(place) {
      const resized = vocabulary !== model.config.vocabSize
      resizeTo(model, vocabulary, folder)
      for (const [plain, weight] of kept) {
        const own = read(plain, expected.get(plain) as number[], model.dtype)
        // PEFT writes the base's own, too; another number of rows is always the adapter's.
        if (!resized && same(own, model.weights.get(weight) as Tensor)) own.dispose()
        else place(weight, own)
      }
    },
  }
}

/** Rows of embedding and head in a file of an adapter, which may bring other ones; those of the base where it has none. */
export function vocabularyIn({ files, names }: Pick<Stored, 'files' | 'names'>, model: Decoder): number {
  const { embedding, head } = vocabularyModules(model)
  const rowsOf = (module: string) => files.entries.get(names.get(`${module}.weight`) ?? '')?.shape[0]
  const rows = [embedding, ...(head ? [head] : [])].map(rowsOf)
  const found = rows.find((n) => n !== undefined)
  const apart = head !== undefined && !model.config.tieWordEmbeddings
  // Rows of a base whose other matrix is not there could only be guessed.
  const whole = apart ? rows[0] === rows[1] : true
  return found !== undefined && whole ? found : model.config.vocabSize
}

/** The same of an adapter's folder, by the header of its file. */
export function vocabularyOf(folder: string, model: Decoder): number {
  const files = openSafetensors(join(folder, ADAPTER_WEIGHTS))
  try {
    return vocabularyIn({ files, names: namesIn(files) }, model)
  } finally {
    files.close()
  }
}

/** Each tensor's name by its plain one. What a module was before it was trained whole is the base's, or as good as it. */
const namesIn = (files: TensorSource): Map<string, string> =>
  new Map(
    [...files.entries.keys()]
      .filter((name) => !name.includes('.original_module.'))
      .map((name) => [plainName(name), name]),
  )

/** Shapes by plain name, the weights that come in place of the base's, and the rows of embedding and head. */
function expectedIn({ files, names }: Stored, model: Decoder, config: AdapterConfig) {
  const { embedding, head } = vocabularyModules(model)
  const both = [embedding, ...(head ? [head] : [])]
  const vocabulary = vocabularyIn({ files, names }, model)
  const shape = (weight: string): number[] => {
    const own = shapeOf(model.weights.get(weight) as Tensor)
    return both.some((module) => weightOf(model, module) === weight) ? [vocabulary, ...own.slice(1)] : own
  }
  const expected = new Map<string, number[]>()
  for (const { name, table, r, columns, out } of mapShapes(model, config, vocabulary)) {
    const [a, b] = loraParts(table)
    expected.set(loraName(name, a), [r, columns])
    expected.set(loraName(name, b), [out, r])
  }
  for (const name of wholeWeights(model, config)) expected.set(name, shape(name))
  const tie = savedTie(model, config.modulesToSave)
  if (tie !== undefined) expected.set(`${model.config.names.lmHead}.weight`, shape(`${tie}.weight`))
  const kept = new Map<string, string>()
  for (const module of both) {
    const plain = `${module}.weight`
    if (!names.has(plain) || expected.has(plain)) continue
    const weight = weightOf(model, module)
    expected.set(plain, shape(weight))
    if (![...kept.values()].includes(weight)) kept.set(plain, weight)
  }
  return { expected, kept, vocabulary }
}

function requireNoFaults(
  { files, folder, names }: Stored,
  expected: Map<string, number[]>,
  family: string,
): void {
  const faults = [
    ...Array.from(expected, ([name, shape]) => fault(files, names.get(name), name, shape)),
    ...Array.from(names, ([plain, name]) =>
      expected.has(plain) ? undefined : `${name} has no place in this model`,
    ),
  ].filter((text) => text !== undefined)
  if (faults.length === 0) return
  const shown = faults.slice(0, 5).join('; ') + (faults.length > 5 ? `; … (${faults.length})` : '')
  throw usageError(
    `${join(folder, ADAPTER_WEIGHTS)}: ${shown}`,
    `adapter and base model (${family}) do not belong together, or the file is not whole`,
  )
}

/** Where the base has one matrix for embedding and head, so has the file. */
function requireTied(stored: Stored, { config, head }: Decoder, { modulesToSave }: AdapterConfig): void {
  if (head !== 'lm' || !config.tieWordEmbeddings) return
  const { names } = config
  const [one, other] = [`${names.prefix}${names.embedding}.weight`, `${names.lmHead}.weight`]
  if (!stored.names.has(one) || !stored.names.has(other)) return
  if (!bytesOf(stored, one).equals(bytesOf(stored, other)))
    throw tornApart(stored.folder, modulesToSave.length === 0)
}

/** Embedding and head with as many rows as the file has: PEFT saves them where tokens were added. */
function resizeTo(model: Decoder, rows: number, folder: string): void {
  const { vocabSize } = model.config
  if (rows === vocabSize) return
  const bits = bitsOf(model)
  if (model.scales.has(weightOf(model, model.config.names.lmHead)))
    throw usageError(
      `${folder}: has ${rows} rows of embedding and head, the base ${vocabSize}, whose head is in ${bits} bits`,
      `remove load_in_${bits}bit`,
    )
  if (rows > vocabSize) resizeEmbeddings(model, rows, 0)
  else cutEmbeddings(model, rows)
}

/** Whether two tensors hold the same bytes. */
export const same = (one: Tensor, other: Tensor): boolean =>
  one.dtype === other.dtype && Buffer.compare(one.hostBytes(), other.hostBytes()) === 0

function bytesOf({ files, names }: Stored, plain: string): Buffer {
  const name = names.get(plain) as string
  const { begin, end } = files.entries.get(name) as TensorEntry
  const bytes = Buffer.allocUnsafe(end - begin)
  files.readInto(name, bytes)
  return bytes
}

function fault(
  files: TensorSource,
  name: string | undefined,
  wanted: string,
  shape: number[],
): string | undefined {
  const entry = name === undefined ? undefined : files.entries.get(name)
  if (!entry) return `base_model.model.${wanted} is missing`
  if (!dtypeOfSafetensors(entry.dtype)) return `${name} has dtype ${entry.dtype}, which is no weight's`
  return entry.shape.join() === shape.join() ? undefined : `${name} is [${entry.shape}], expected [${shape}]`
}

/** Names without what wraps them: PEFT's prefix, and the wrapper of a saved module in older files. */
const plainName = (name: string): string =>
  name
    .replace(/^base_model\.model\./, '')
    .replace(/\.modules_to_save(\.default)?\./, '.')
    .replace(/\.default(\.|$)/, '$1')
    .replace(/\.base_layer\./, '.')
