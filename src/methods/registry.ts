/** The methods by name. Config, trainer, commands and pages ask here; no other room knows a method by its name. */
import { z } from 'zod'
import type { EncodedExample } from '../data/encode/encoded.js'
import type { RankedList } from '../rescore/ranked.js'
import type { ChatTemplate } from '../text/template.js'
import type { TrainItem } from '../train/loop/items.js'
import type { Objective } from '../train/objectives/objective.js'
import { clha, clhaKeys } from './clha.js'
import { calDpo, dpo, dpoKeys } from './dpo.js'
import { coh, cohKeys } from './hindsight.js'
import { bon, sft, sftKeys } from './likelihood.js'
import { infonca, pro, rrhf, rrhfKeys } from './lists.js'
import type {
  LossVariant,
  Material,
  Method,
  OptionsOf,
  Sequence,
  Settings,
  SharedOptions,
  Values,
} from './method.js'
import { cpo, orpo, pairsKeys, simpo, slicHf, slicKeys } from './pairs.js'
import { bco, kto, rowsKeys } from './rows.js'
import { GATE_KEYS, sharedKeys } from './shared.js'

/** The options of all methods. */
export type MethodOptions = SharedOptions &
  OptionsOf<
    typeof clhaKeys &
      typeof sftKeys &
      typeof dpoKeys &
      typeof pairsKeys &
      typeof rowsKeys &
      typeof slicKeys &
      typeof rrhfKeys &
      typeof cohKeys
  >

const ENTRIES = {
  clha,
  sft,
  bon,
  coh,
  pro,
  rrhf,
  infonca,
  dpo,
  cal_dpo: calDpo,
  kto,
  bco,
  simpo,
  cpo,
  orpo,
  slic_hf: slicHf,
} satisfies Record<string, Method<MethodOptions>>

export type MethodName = keyof typeof ENTRIES

export const METHODS: Readonly<Record<MethodName, Method<MethodOptions>>> = ENTRIES

export const METHOD_NAMES = Object.keys(METHODS) as MethodName[]

type LossesOf<M> = M extends { losses: infer Losses } ? keyof NonNullable<Losses> & string : never

export type LossType = { [N in MethodName]: LossesOf<(typeof ENTRIES)[N]> }[MethodName]

export const lossesOf = (method: MethodName): LossType[] =>
  Object.keys(METHODS[method].losses ?? {}) as LossType[]

export const LOSS_TYPES = [...new Set(METHOD_NAMES.flatMap(lossesOf))]

/** Config section: the training method and the constants of its loss, in the order in which they are shown. */
export const methodSection = {
  method: z
    .enum(METHOD_NAMES)
    .default('clha')
    .describe('clha: contrast and adaptive SFT; sft: one answer only; the others: docs/methods.md'),
  ...clhaKeys,
  sft_weight: sharedKeys.sft_weight,
  ...sftKeys,
  loss_type: z
    .union([z.enum(LOSS_TYPES), z.array(z.enum(LOSS_TYPES)).min(2)])
    .optional()
    .describe(
      'variant of dpo, kto, cpo or infonca, by its name in TRL; a list of several with dpo is their sum; dpo, cpo: sigmoid; kto: kto',
    ),
  list_pairs: sharedKeys.list_pairs,
  beta: sharedKeys.beta,
  gap_scale: sharedKeys.gap_scale,
  label_smoothing: sharedKeys.label_smoothing,
  ...dpoKeys,
  ...pairsKeys,
  ...rowsKeys,
  ...slicKeys,
  ...rrhfKeys,
  ref_model: sharedKeys.ref_model,
  ...cohKeys,
}

export type MethodKey = keyof typeof methodSection

/** Whether the method adds several losses up. */
export const mixesLosses = (method: MethodName): boolean => METHODS[method].mixes === true

/** Every setting that belongs to some methods and not to others. */
export const METHOD_KEYS: readonly MethodKey[] = (Object.keys(methodSection) as MethodKey[]).filter(
  (key) => key !== 'method' && key !== 'sft_weight',
)

interface Chosen extends Settings {
  method?: MethodName
}

const entryOf = ({ method = 'clha' }: Chosen) => METHODS[method]

/** What the config knows of the losses. Of a mix, the keys of all of its losses; a default is that of the first loss that has one. */
function lossSettings(chosen: Chosen): Pick<LossVariant, 'keys' | 'defaults'> {
  const variants = [chosen.loss_type ?? []].flat().flatMap((name) => entryOf(chosen).losses?.[name] ?? [])
  return {
    keys: variants.flatMap(({ keys = [] }) => keys),
    defaults: Object.assign({}, ...variants.map(({ defaults }) => defaults).reverse()),
  }
}

/** Defaults of a method, its first loss among them. */
export function methodDefaults(chosen: Chosen): Values {
  const [loss_type] = lossesOf(chosen.method ?? 'clha')
  const settings = { ...(loss_type && { loss_type }), ...chosen }
  return { ...(loss_type && { loss_type }), ...entryOf(chosen).defaults, ...lossSettings(settings).defaults }
}

/** The method's own settings that act. */
export function actingKeys(chosen: Chosen): string[] {
  const { keys, idle = [] } = entryOf(chosen)
  const stopped = idle.filter(({ when }) => !when || when(chosen)).flatMap((rule) => rule.keys)
  return [...keys, ...(lossSettings(chosen).keys ?? [])].filter((key) => !stopped.includes(key))
}

/** Why a key has no effect under the method; undefined where the method has nothing against it. */
export function idleUnder(key: string, chosen: Chosen & { sft_weight: number }): string | undefined {
  const { method = 'clha', loss_type } = chosen
  const { idle = [], gated, losses } = METHODS[method]
  const own = idle.find(({ keys, reason, when }) => reason && keys.includes(key) && (!when || when(chosen)))
  if (own) return own.reason
  const owner = METHOD_NAMES.find((name) => METHODS[name].only?.includes(key))
  if (owner !== undefined && owner !== method)
    return `only method: ${owner} has it; this is method: ${method}`
  if (GATE_KEYS.includes(key) && !gated && chosen.sft_weight === 0)
    return 'sft_weight is 0: there is no SFT term to gate'
  if (!METHOD_KEYS.includes(key as MethodKey) || actingKeys(chosen).includes(key)) return undefined
  return `method: ${method}${losses ? `, loss_type: ${[loss_type].flat().join(', ')}` : ''} does not use it`
}

/** The method and, where it has several, its loss or mode: what a learning rate is tuned for. */
export function variantName(chosen: Chosen & { method: MethodName }): string {
  const { method, loss_type } = chosen
  const { variant } = METHODS[method]
  const name = variant ? variant(chosen) : [loss_type ?? []].flat().join('+')
  return name ? `${method}/${name}` : method
}

type Named = Pick<SharedOptions, 'method'>

const methodOf = ({ method }: Named): Method<MethodOptions> => METHODS[method as MethodName]

export const materialOf = (options: Named): Material => methodOf(options).material

/** Whether the method compares with a reference model. */
export const usesReference = (options: Named): boolean => methodOf(options).reference === true

/** Whether `clha align` and `clha explain` go through the method. */
export const isAlignment = (options: Named): boolean => methodOf(options).gated === true

/** Whether ranking asks for rewards: the labels alone order the answers otherwise. */
export function needsRewards(options: MethodOptions): boolean {
  const { needsRewards: own } = methodOf(options)
  if (own) return own(options)
  const { labelSource, sftWeight, sftGate } = options
  return labelSource !== 'human' || (sftWeight > 0 && sftGate !== 'off')
}

/** @param answers the most answers of a list */
export const objectiveOf = (options: MethodOptions, answers: number): Promise<Objective> =>
  methodOf(options).objective(options, answers)

/** What the method takes of ranked lists, in tokens. */
export function rankedItems(
  options: MethodOptions,
  lists: readonly RankedList[],
  encoded: readonly EncodedExample[],
): TrainItem[] {
  const { items } = methodOf(options)
  if (!items) throw new Error(`method: ${options.method} takes sequences`)
  return items(lists, encoded, options)
}

/** What a method on texts takes of ranked lists, before these are encoded. */
export function sequencesOf(
  options: MethodOptions,
  lists: readonly RankedList[],
  template: ChatTemplate,
): Sequence[] {
  return lists.flatMap((list) => methodOf(options).sequences?.(list, template, options) ?? [])
}

/** Names on the progress line. */
export const shownOf = (options: MethodOptions): Record<string, string> => methodOf(options).shown(options)

/** What a model is asked behind that was trained so. @param options of the training, or what a run's record has of them */
export function markerOf(options: object): string | undefined {
  const { method } = options as Partial<MethodOptions>
  const entry = Object.hasOwn(METHODS, method ?? '') ? METHODS[method as MethodName] : undefined
  const marker: unknown = entry?.marker?.(options as MethodOptions)
  return typeof marker === 'string' ? marker : undefined
}
