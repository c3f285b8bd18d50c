/** Adapters from PEFT folders, and model folders of any kind: whole models, and adapters and probes that name their base. */
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { INDEX } from '../../checkpoint/format/sharded-model.js'
import { usageError } from '../../errors.js'
import { cachedCommit, snapshotDir } from '../../hub/cache.js'
import { type HubName, hubName } from '../../hub/name.js'
import { hubSettings } from '../../hub/settings.js'
import type { DType } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { rewardModelFrom } from '../decoder/init.js'
import { addQuantizedOutput, type Quantized } from '../decoder/quantized.js'
import { headOf } from '../families/families.js'
import { openCheckedFiles } from '../folders/checked-files.js'
import { loadModel, readHfConfig } from '../folders/load-model.js'
import type { HeadKind } from '../folders/weights.js'
import { isProbeFolder, loadProbe, PROBE_CONFIG, readProbeConfig } from '../probe/probe-folder.js'
import { installAdapter } from './adapter.js'
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  type Adapter,
  type AdapterConfig,
  readAdapterConfig,
} from './adapter-config.js'
import { checkedSource, tornApart } from './adapter-files.js'
import { canStayTied, savedTie } from './adapter-targets.js'

/** A folder with an adapter in it: as PEFT, or a training with an adapter, wrote it; or beside its base's own files. */
export const isAdapterFolder = (folder: string): boolean => existsSync(join(folder, ADAPTER_CONFIG))

/** A folder that holds weights on another model, which it names: an adapter, or a probe. */
export const standsOnBase = (folder: string): boolean => isAdapterFolder(folder) || isProbeFolder(folder)

export const isModelFolder = (path: string): boolean =>
  existsSync(join(path, 'config.json')) || standsOnBase(path)

/** Files of a whole model; those of a pickle too, so that it is named where it is met. */
const WHOLE = ['model.safetensors', INDEX, 'pytorch_model.bin', 'pytorch_model.bin.index.json']

/** An adapter that lies in its base's folder: config and weights of a whole model are there too. */
export const liesBesideBase = (folder: string): boolean =>
  isAdapterFolder(folder) &&
  existsSync(join(folder, 'config.json')) &&
  WHOLE.some((name) => existsSync(join(folder, name)))

/**
 * The folder of the weights that an adapter or a probe stands on: its own where they lie beside it, as transformers has it; else
 * that of its config: a path counts from the working directory, or from the adapter's folder, a name on the hub is looked up
 * in its cache. An adapter that lies beside those weights in turn is none of the base. Any other folder is its own.
 * @throws ClhaError (exit 2) when the base is not on this disk
 */
export function baseFolderOf(folder: string): string {
  if (!standsOnBase(folder) || liesBesideBase(folder)) return folder
  const { base } = baseNamedIn(folder)
  const alone = isProbeFolder(folder) ? 'a probe without its base' : 'an adapter without its base'
  const places = base === undefined ? [] : [resolve(base), resolve(folder, base)]
  const found = [...places, ...cachedBase(folder)].filter(
    (path) => isModelFolder(path) && resolve(path) !== resolve(folder),
  )
  if (found.length === 0) {
    throw usageError(
      `${folder}: ${alone}: base_model_name_or_path ${JSON.stringify(base ?? null)} is neither a folder on this disk nor in the hub's cache`,
      isProbeFolder(folder)
        ? `put the base there, or its place into ${PROBE_CONFIG}`
        : 'give the base as model_name_or_path, and this folder as adapter_name_or_path',
    )
  }
  if (standsOnBase(found[0]) && !liesBesideBase(found[0]))
    throw usageError(`${found[0]}: the base of ${folder} is an adapter itself`, 'merge it first: clha merge')
  return found[0]
}

const baseNamedIn = (folder: string): { base?: string; revision?: string } =>
  isProbeFolder(folder)
    ? { base: readProbeConfig(folder).base_model_name_or_path }
    : readAdapterConfig(folder)

/** The name on the hub that an adapter gives its base; undefined where it names a folder, and for what stands on none. */
export function hubBaseOf(folder: string): HubName | undefined {
  if (!standsOnBase(folder) || liesBesideBase(folder)) return undefined
  const { base, revision } = baseNamedIn(folder)
  const name = base === undefined || existsSync(resolve(folder, base)) ? undefined : hubName(base, 'model')
  return name && { ...name, revision: name.revision ?? revision }
}

function cachedBase(folder: string): string[] {
  const name = hubBaseOf(folder)
  const { cacheDir } = hubSettings()
  const commit = name && cachedCommit(cacheDir, name)
  return commit === undefined ? [] : [snapshotDir(cacheDir, name as HubName, commit)]
}

/** Whether a folder, with an adapter put on it, holds a language model or a reward model. */
export function headOfFolder(folder: string, adapter = folder): HeadKind {
  if (existsSync(join(adapter, ADAPTER_CONFIG)) && readAdapterConfig(adapter).taskType === 'SEQ_CLS')
    return 'reward'
  if (isProbeFolder(folder)) return 'reward'
  const base = baseFolderOf(folder)
  return headOf(readHfConfig(base), base)
}

/**
 * A model from a folder of either kind.
 * @param adapter a PEFT folder to put on the model, whatever base it names
 * @param mapped as `loadModel` has it, and so `quantized`; with `all` a language model's logits come from a narrow matrix
 * @throws ClhaError (exit 2) for a family, a setting, a tensor or a file that does not fit
 */
export function loadModelFolder(
  folder: string,
  dtype: DType = 'f32',
  { adapter, mapped = false, quantized }: { adapter?: string; mapped?: boolean; quantized?: Quantized } = {},
): Decoder {
  if (adapter !== undefined && isAdapterFolder(folder) && resolve(adapter) !== resolve(folder))
    throw usageError(
      `${folder}: holds an adapter; ${adapter} can't be put on it too`,
      'name the base model, and one adapter',
    )
  const place = adapter ?? (isAdapterFolder(folder) ? folder : undefined)
  const baseFolder = baseFolderOf(folder)
  if (isProbeFolder(folder)) {
    const base = loadModel(baseFolder, dtype, true, quantized)
    return owningBase(() => loadProbe(folder, base), base)
  }
  const config = place === undefined ? undefined : readAdapterConfig(place)
  const base = loadModel(baseFolder, dtype, mapped || config !== undefined, quantized)
  const model = config ? withHead(base, config) : base
  try {
    if (place !== undefined) loadAdapter(place, model, baseFolder)
    if (quantized?.which === 'all') addQuantizedOutput(model, quantized.bits)
    return model
  } catch (error) {
    model.dispose()
    throw error
  }
}

/** A reward adapter on a language model brings the head that it lacks. */
function withHead(base: Decoder, { taskType }: AdapterConfig): Decoder {
  if (taskType !== 'SEQ_CLS' || base.head === 'reward') return base
  return owningBase(() => rewardModelFrom(base, 0, { shared: true }), base)
}

/** A model that stands on another one's tensors, and frees them with its own. */
function owningBase(make: () => Decoder, base: Decoder): Decoder {
  try {
    const model = make()
    const { dispose } = model
    model.dispose = () => {
      dispose()
      base.dispose()
    }
    return model
  } catch (error) {
    base.dispose()
    throw error
  }
}

/**
 * Puts the adapter of a PEFT folder on a model.
 * @param base what the adapter says of its base from now on; as its folder says when left out
 * @param seed of dropout, when it is trained on
 * @throws ClhaError (exit 2) naming the key or the tensors that do not fit
 */
export function loadAdapter(folder: string, model: Decoder, base?: string, seed = 0): Adapter {
  const read = readAdapterConfig(folder)
  const config = base === undefined ? read : { ...read, base: resolve(base) }
  requireFit(config, model, folder)
  const files = openCheckedFiles(folder, ADAPTER_WEIGHTS)
  try {
    const source = checkedSource(files, model, config, folder)
    return installAdapter(model, config, seed, source)
  } finally {
    files.close()
  }
}

function requireFit(config: AdapterConfig, model: Decoder, folder: string): void {
  const head = config.taskType === 'SEQ_CLS' ? 'reward' : 'lm'
  if (config.taskType !== undefined && model.head !== head) {
    const kind = { lm: 'a language model', reward: 'a reward model' }
    throw usageError(
      `${folder}: task_type ${config.taskType} is an adapter for ${kind[head]}, this is ${kind[model.head]}`,
    )
  }
  const tie = savedTie(model, config.modulesToSave)
  if (tie !== undefined && !(config.tiesSaved && canStayTied(tie))) throw tornApart(folder)
  const { names, tieWordEmbeddings } = model.config
  if (tieWordEmbeddings && model.head === 'lm' && config.modulesToSave.includes(names.lmHead))
    throw tornApart(folder)
}
