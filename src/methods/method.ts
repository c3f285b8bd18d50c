/** What a method is: everything that config, trainer, commands and pages ask about one. An entry declares it, `registry.ts` collects. */
import type { z } from 'zod'
import type { EncodedExample } from '../data/encode/encoded.js'
import type { Example } from '../data/example.js'
import type { CamelKeys } from '../key-names.js'
import type { AskedSource } from '../rescore/beliefs.js'
import type { RankedList } from '../rescore/ranked.js'
import type { ChatTemplate } from '../text/template.js'
import type { TrainItem } from '../train/loop/items.js'
import type { Objective } from '../train/objectives/objective.js'
import type { sharedKeys } from './shared.js'

/** What a method learns from: one answer, pairs of answers, answers judged by themselves, or sequences with feedback. */
export type Material = 'answer' | 'pairs' | 'rows' | 'sequences'

/** The options that a mapping of keys gives. */
export type OptionsOf<Keys extends z.core.$ZodShape> = CamelKeys<z.output<z.ZodObject<Keys>>>

/** The options that every entry may read; those of its own keys come on top. */
export interface SharedOptions extends OptionsOf<typeof sharedKeys> {
  method: string
  lossType?: string | readonly string[]
  labelSource: AskedSource
  sftGate: 'soft' | 'hard' | 'off'
  trainDataset?: readonly string[]
  /** Tokens of prompt and answer. */
  maxLength: number
}

/** The settings, named as in a config, on which depends what acts and what it is by default. */
export interface Settings {
  mode?: string
  /** Several are a mix. */
  loss_type?: string | readonly string[]
  f_divergence_type?: string
  sft_target?: string
}

/** Values by key, as a config gives them. */
export type Values = Readonly<Record<string, string | number>>

/** One `loss_type`, as far as the config goes. */
export interface LossVariant {
  /** It takes how far apart the answers of a pair are. */
  gaps?: boolean
  /** It is the likelihood of the pairs' better answers, which every loss on pairs can carry. */
  likelihood?: boolean
  /** Keys that act in this loss and not in all of them. */
  keys?: readonly string[]
  defaults?: Values
  /** Loads its loss, where the variants have one each. */
  term?(options: never): Promise<unknown>
}

/** Keys that a method leaves without effect, and why. */
export interface IdleRule {
  keys: readonly string[]
  /** Left out: the method, or its loss, does not use it. */
  reason?: string
  /** Where it depends. */
  when?(settings: Settings): boolean
}

/** A sequence to learn, and how much it counts. */
export interface Sequence {
  example: Example
  weight: number
}

export interface Method<O extends SharedOptions = SharedOptions> {
  /** The method in full, for tables. */
  title: string
  material: Material
  /** Variants by `loss_type`; the first is the default. */
  losses?: Readonly<Record<string, LossVariant>>
  /** Whether `loss_type` may name several, with `loss_weights`. */
  mixes?: boolean
  /** The method's own settings that act; those of a loss are added to them. */
  keys: readonly string[]
  /** As far as they differ from the schema's; those of a loss go over them. */
  defaults?: Values
  /** Settings that no other method has. */
  only?: readonly string[]
  idle?: readonly IdleRule[]
  /** Name of the variant that is tuned apart, where it is not the `loss_type`. */
  variant?(settings: Settings): string | undefined
  /** Whether it compares with a reference model. */
  reference?: boolean
  /** Whether its gate always acts: what goes without rewards elsewhere asks for them here. It is what `clha align` trains. */
  gated?: boolean
  /** Whether ranking asks for rewards. Left out: where the labels alone do not order the answers. */
  needsRewards?(options: O): boolean
  /** What a model so trained is asked behind. */
  marker?(options: O): string
  /** The loss for the trainer, loaded only now. @param answers the most answers of a list */
  objective(options: O, answers: number): Promise<Objective>
  /** What it takes of ranked lists, in tokens; not with `sequences`. */
  items?(lists: readonly RankedList[], encoded: readonly EncodedExample[], options: O): TrainItem[]
  /** A list as texts that are encoded anew. */
  sequences?(list: RankedList, template: ChatTemplate, options: O): Sequence[]
  /** On the progress line: our name, the metric's. */
  shown(options: O): Record<string, string>
  /** Metrics of its own, beside those of its material. */
  logs?: readonly string[]
}
