/** Adapters in a pipeline: a fresh one for a training, its base on record, a reward model on a shared backbone. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Options, SectionOptions } from '../config/options.js'
import { LORA_KEYS } from '../config/sections/lora-section.js'
import { usageError } from '../errors.js'
import { attachAdapter, onBaseAlone, trainableWeights } from '../models/adapters/adapter.js'
import type { LoraOptions } from '../models/adapters/adapter-config.js'
import { baseFolderOf } from '../models/adapters/adapter-load.js'
import { mergeAdapter } from '../models/adapters/adapter-merge.js'
import { ALL_LINEAR } from '../models/adapters/adapter-targets.js'
import { type Decoder, parameterCount } from '../models/decoder/decoder.js'
import { rewardModelFrom } from '../models/decoder/init.js'
import { bitsOf } from '../models/decoder/quantized.js'
import { baseHash, modelHash, resolveModelFolder } from '../models/folders/model-folder.js'
import type { Needs } from '../session/needs.js'
import type { Session } from '../session/session.js'
import { count } from '../show/units.js'
import { type LanguageModel, loadLanguageModel, loadStartModel, readSizes } from './language-model.js'
import { quantizedOf, requireAdapterOnQuantized } from './quantized-options.js'

/** The start model, and the adapter that is trained on it. */
type TrainableOptions = SectionOptions<'model' | 'lora'> &
  Pick<Options, 'learningRate' | 'rewardLearningRate'>

/**
 * The model of a training: `use_peft` puts a fresh adapter on a start model that brings none.
 * @param folder a model made on the way, in place of the start model
 * @throws ClhaError (exit 2) for LoRA settings beside an adapter that has its own
 */
export async function loadTrainable(
  session: Needs<TrainableOptions, 'ui' | 'dtype' | 'config'>,
  folder?: string,
): Promise<LanguageModel> {
  const { options, dtype } = session
  requireAdapterOnQuantized(session, folder ?? startFolder(options))
  const isStart = folder === undefined || folder === options.modelNameOrPath
  const lm = isStart
    ? await loadStartModel(session)
    : await loadLanguageModel(folder, dtype, options.chatTemplate, quantizedOf(options, 'blocks'))
  if (isStart && lm.model.adapter) requireOwnSettings(session)
  if (options.usePeft && !lm.model.adapter) attachAdapter(lm.model, loraOptions(session), options.seed)
  sayAdapter(session, lm.model)
  if (lm.model.adapter) warnOfRate(session, 'learning_rate', options.learningRate)
  return lm
}

/** Configs that were told already: of several folds or rounds the first speaks for all. */
const told = new WeakMap<object, Set<string>>()

/** Defaults are those of training all weights. */
function warnOfRate(
  { config, ui }: Pick<Session, 'config' | 'ui'>,
  key: 'learning_rate' | 'reward_learning_rate',
  rate: number,
): void {
  const keys = told.get(config) ?? new Set()
  if (keys.has(key) || ['file', 'flag'].includes(config.origin[key]) || config.values[key] !== rate) return
  told.set(config, keys.add(key))
  ui.warn(
    `${key} is ${rate}, the default of training all weights: an adapter moves little with it`,
    `an adapter usually wants about ten times as much: ${key}: ${Number((10 * rate).toPrecision(3))} or more`,
  )
}

const startFolder = ({ modelNameOrPath: path }: Pick<Options, 'modelNameOrPath'>): string | undefined =>
  path === undefined ? undefined : resolveModelFolder(path)

function requireOwnSettings({ config, options }: Needs<Pick<Options, 'modelNameOrPath'>, 'config'>): void {
  const given = LORA_KEYS.find((key) => ['file', 'flag'].includes(config.origin[key]))
  if (given === undefined) return
  throw usageError(
    `${given} has no effect: ${options.modelNameOrPath} brings an adapter with settings of its own`,
    'remove it to go on training this adapter; or merge it (clha merge) and start a new one',
  )
}

/** One word is a name, as in a list; anything else alone is a regular expression, or `all-linear`. */
function targetsOf(names: readonly string[]): string | readonly string[] {
  const [only, ...more] = names
  if (more.length > 0 || /^[\w.]+$/.test(only)) return names
  return only.toLowerCase() === ALL_LINEAR ? ALL_LINEAR : only
}

export function loraOptions({
  options,
}: Needs<SectionOptions<'model' | 'lora'>>): LoraOptions & { base: string } {
  return {
    r: options.loraR,
    alpha: options.loraAlpha,
    dropout: options.loraDropout,
    targetModules: targetsOf(options.loraTargetModules),
    useRslora: options.useRslora,
    modulesToSave: options.modulesToSave ?? [],
    base: baseOf(options),
  }
}

/** The folder, or else the name, of the start model, or of what its adapter stands on. */
export const baseOf = ({ modelNameOrPath: name = '' }: Pick<Options, 'modelNameOrPath'>): string =>
  existsSync(name) ? resolve(baseFolderOf(resolveModelFolder(name))) : name

function sayAdapter({ ui }: Pick<Session, 'ui'>, model: Decoder): void {
  const { adapter } = model
  if (!adapter) return
  let trained = 0
  for (const { shape } of trainableWeights(model).values()) trained += shape.reduce((a, b) => a * b, 1)
  const whole = adapter.saved.size > 0 ? ` and ${[...adapter.saved.keys()].join(', ')}` : ''
  ui.line(
    `adapter  rank ${adapter.config.r} on ${count(adapter.maps.size)} linear maps${whole} · ` +
      `${count(trained)} parameters are trained, the model's ${count(parameterCount(model))} stay as they are`,
  )
}

/**
 * A reward model that starts from `model`: with `use_peft` an adapter and a head on the very same backbone, else a copy,
 * an adapter of the start model merged in.
 */
export function rewardStart(
  session: Needs<TrainableOptions, 'ui' | 'config'>,
  model: Decoder,
  seed: number,
): Decoder {
  if (session.options.usePeft) {
    const reward = onBaseAlone(model, () => rewardModelFrom(model, seed, { shared: true }))
    attachAdapter(reward, loraOptions(session), seed)
    sayAdapter(session, reward)
    warnOfRate(session, 'reward_learning_rate', session.options.rewardLearningRate)
    return reward
  }
  if (!model.adapter) return rewardModelFrom(model, seed)
  const merged = mergeAdapter(model)
  const reward = rewardModelFrom(merged, seed)
  merged.dispose()
  return reward
}

type StartOptions = Pick<Options, 'modelNameOrPath' | 'adapterNameOrPath' | 'modelConfig'>

/** Of options that were asked for already: the stages of a pipeline share them. */
const starts = new WeakMap<object, Promise<unknown>>()

/** What fixes the model that a training begins with: hashes of its folders, or the sizes that random weights are drawn for. */
export async function startTrajectory(options: StartOptions): Promise<Record<string, unknown>> {
  const known = starts.get(options) ?? startOf(options)
  starts.set(options, known)
  return { start_model: await known }
}

async function startOf({ modelNameOrPath, adapterNameOrPath, modelConfig }: StartOptions): Promise<unknown> {
  if (modelNameOrPath === undefined)
    return (typeof modelConfig === 'string' ? readSizes(modelConfig) : modelConfig) ?? null
  const hashes: string[] = []
  for (const path of [modelNameOrPath, adapterNameOrPath])
    if (path !== undefined) hashes.push(await modelHash(resolveModelFolder(path)))
  return hashes.join(' ')
}

/** What fixes the numbers of a training with an adapter: the adapter's settings, and the hash of the base. */
export async function adapterTrajectory(model: Decoder): Promise<Record<string, unknown>> {
  const { adapter } = model
  if (!adapter) return {}
  const { base, revision: _, ...settings } = adapter.config
  const known = base !== undefined && existsSync(base)
  const bits = bitsOf(model)
  const narrow = bits && { [`load_in_${bits}bit`]: true }
  return { adapter: settings, base_sha256: known ? await baseHash(base) : (base ?? null), ...narrow }
}
