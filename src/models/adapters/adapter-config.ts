/** adapter_config.json as PEFT writes it. A setting that changes the mathematics and is not computed here is refused. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../../errors.js'
import { readJsonObject } from '../../files/json.js'
import type { Lora, LoraMode } from '../../nn/lora.js'
import type { Tensor } from '../../tensor/index.js'

export interface LoraOptions {
  /** Rank. */
  r: number
  alpha: number
  /** 0 to 1. */
  dropout: number
  /** As PEFT: suffixes of module names, one regular expression for whole names, or `all-linear`. */
  targetModules: string | readonly string[]
  /** Scale alpha / sqrt(r) in place of alpha / r. */
  useRslora: boolean
  /** Modules that are trained as full copies, by suffix. */
  modulesToSave: readonly string[]
}

export interface AdapterConfig extends LoraOptions {
  excludeModules?: string | readonly string[]
  /** Other ranks and alphas, by regular expression for the end of a module name. */
  rankPattern: Record<string, number>
  alphaPattern: Record<string, number>
  layersToTransform?: readonly number[]
  layersPattern?: readonly string[]
  /** Folder or name of the base model. */
  base?: string
  revision?: string
  taskType?: string
  /** One trained copy serves as embedding and as LM head, where the base has one matrix for both. */
  tiesSaved: boolean
}

export const ADAPTER_CONFIG = 'adapter_config.json'
export const ADAPTER_WEIGHTS = 'adapter_model.safetensors'
/** What PEFT adds to `modules_to_save` of every classifier. */
export const CLASSIFIER_MODULES = ['classifier', 'score']

/** Keys that are read below, and those that change no number once an adapter is trained. */
const KNOWN = new Set(
  (
    'peft_type r lora_alpha lora_dropout target_modules exclude_modules use_rslora modules_to_save rank_pattern ' +
    'alpha_pattern layers_to_transform layers_pattern base_model_name_or_path revision task_type bias init_lora_weights ' +
    'ensure_weight_tying auto_mapping inference_mode peft_version fan_in_fan_out megatron_core loftq_config ' +
    'qalora_group_size eva_config'
  ).split(' '),
)

/** Initialisations that leave the base as it is; PiSSA, OLoRA, LoftQ and the like change its weights. */
const INITIALISATIONS: readonly unknown[] = [undefined, null, true, false, 'gaussian', 'orthogonal', 'eva']

type Json = Record<string, unknown>

/** @throws ClhaError (exit 2) naming the file and the key: not JSON, not LoRA, or not computed here */
export function readAdapterConfig(folder: string): AdapterConfig {
  const path = join(folder, ADAPTER_CONFIG)
  if (!existsSync(path))
    throw usageError(`${folder}: no ${ADAPTER_CONFIG}`, 'an adapter is a folder as PEFT writes it')
  return parseAdapterConfig(readJsonObject(path, 'fetch the adapter again'), path)
}

export function parseAdapterConfig(json: Json, where: string): AdapterConfig {
  requireComputed(json, where)
  const read = new Reader(json, where)
  const list = (key: string) => read.strings(key)
  return {
    r: read.number('r', 8),
    alpha: read.number('lora_alpha', 8),
    dropout: read.number('lora_dropout', 0),
    targetModules: read.namesOf('target_modules') ?? [],
    excludeModules: read.namesOf('exclude_modules'),
    useRslora: json.use_rslora === true,
    modulesToSave: list('modules_to_save') ?? [],
    rankPattern: read.numbers('rank_pattern'),
    alphaPattern: read.numbers('alpha_pattern'),
    layersToTransform: read.layers(),
    layersPattern: list('layers_pattern'),
    base: read.text('base_model_name_or_path'),
    revision: read.text('revision'),
    taskType: read.text('task_type'),
    tiesSaved: json.ensure_weight_tying === true,
  }
}

const isOff = (value: unknown): boolean =>
  value === null ||
  value === false ||
  (typeof value === 'object' && Object.keys(value as object).length === 0)

function requireComputed(json: Json, where: string): void {
  const refuse = (key: string, hint: string) => {
    throw usageError(`${where}: "${key}": ${JSON.stringify(json[key] ?? null)} is not supported`, hint)
  }
  if (json.peft_type !== 'LORA') refuse('peft_type', 'adapters here are LoRA (peft_type LORA)')
  if (json.use_dora === true)
    refuse('use_dora', 'merge the adapter with PEFT (merge_and_unload) and use the merged model')
  if (json.bias !== undefined && json.bias !== 'none') refuse('bias', 'only bias: none')
  if (!INITIALISATIONS.includes(json.init_lora_weights))
    refuse('init_lora_weights', 'it changes the base model: convert the adapter with PEFT, or merge it there')
  const unknown = Object.keys(json).find((key) => !KNOWN.has(key) && !isOff(json[key]))
  if (unknown !== undefined)
    refuse(
      unknown,
      'plain LoRA only; merge the adapter with PEFT (merge_and_unload) and use the merged model',
    )
}

/** Keys with the type that is expected of each. */
class Reader {
  constructor(
    private readonly json: Json,
    private readonly where: string,
  ) {}

  private wrong(key: string, expected: string) {
    return usageError(`${this.where}: "${key}" must be ${expected}, found ${JSON.stringify(this.json[key])}`)
  }

  number(key: string, fallback: number): number {
    const value = this.json[key] ?? fallback
    const least = key === 'r' ? 1 : 0
    if (typeof value !== 'number' || !(value >= least)) throw this.wrong(key, `a number of at least ${least}`)
    if (key === 'lora_dropout' && value >= 1) throw this.wrong(key, 'below 1')
    return value
  }

  text(key: string): string | undefined {
    const value = this.json[key] ?? undefined
    if (value !== undefined && typeof value !== 'string') throw this.wrong(key, 'a text')
    return value
  }

  strings(key: string): string[] | undefined {
    const value = this.json[key] ?? undefined
    if (value === undefined) return undefined
    const list = [value].flat()
    if (!list.every((v) => typeof v === 'string')) throw this.wrong(key, 'a list of names')
    return list
  }

  /** A text is a regular expression, a list holds names. */
  namesOf(key: string): string | string[] | undefined {
    return typeof this.json[key] === 'string' ? this.json[key] : this.strings(key)
  }

  numbers(key: string): Record<string, number> {
    const value = this.json[key] ?? {}
    const fits =
      typeof value === 'object' && Object.values(value).every((v) => typeof v === 'number' && v > 0)
    if (!fits) throw this.wrong(key, 'a mapping to numbers above 0')
    return value as Record<string, number>
  }

  layers(): number[] | undefined {
    const value = this.json.layers_to_transform ?? undefined
    if (value === undefined) return undefined
    const list = [value].flat()
    if (!list.every((v) => Number.isInteger(v))) throw this.wrong('layers_to_transform', 'layer numbers')
    return list as number[]
  }
}

/** The keys of adapter_config.json, sorted as PEFT sorts them. */
export function adapterConfigJson(config: AdapterConfig, fanInFanOut: boolean): Json {
  const list = (names: readonly string[] | undefined) => (names && names.length > 0 ? [...names] : null)
  const json: Json = {
    peft_type: 'LORA',
    task_type: config.taskType ?? null,
    base_model_name_or_path: config.base ?? null,
    revision: config.revision ?? null,
    r: config.r,
    lora_alpha: config.alpha,
    lora_dropout: config.dropout,
    target_modules:
      typeof config.targetModules === 'string' ? config.targetModules : [...config.targetModules],
    use_rslora: config.useRslora,
    use_dora: false,
    modules_to_save: list(config.modulesToSave),
    rank_pattern: config.rankPattern,
    alpha_pattern: config.alphaPattern,
    layers_to_transform: config.layersToTransform ?? null,
    layers_pattern: list(config.layersPattern),
    bias: 'none',
    fan_in_fan_out: fanInFanOut,
    inference_mode: true,
    init_lora_weights: true,
    auto_mapping: null,
    ...(config.tiesSaved && { ensure_weight_tying: true }),
    ...(config.excludeModules !== undefined && { exclude_modules: config.excludeModules }),
  }
  return Object.fromEntries(Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1)))
}

export interface Adapter {
  config: AdapterConfig
  /** Of the dropout. */
  seed: number
  mode: LoraMode
  /** By module name. */
  maps: Map<string, Lora>
  /** Modules trained whole, by weight name: the base's tensor, and the copy that stands in its place. */
  saved: Map<string, { base: Tensor; copy: Tensor }>
  /** Embedding and LM head that the adapter's files bring in place of the base's, by weight name; they are not trained. */
  kept: Map<string, Tensor>
}
