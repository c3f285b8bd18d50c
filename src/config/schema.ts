/** The one schema of all settings: a flat mapping, as TRL has it. Every key is also a flag. */
import { z } from 'zod'
import { methodSection } from '../methods/registry.js'
import { augmentSection, explainSection, roundsSection } from './sections/augment-section.js'
import { dataSection } from './sections/data-section.js'
import { endpointSection } from './sections/endpoint-section.js'
import { evaluateSection } from './sections/evaluate-section.js'
import { generateSection, promptSection } from './sections/generate-section.js'
import { judgeSection } from './sections/judge-section.js'
import { loraSection, mergeSection } from './sections/lora-section.js'
import { modelSection } from './sections/model-section.js'
import { profileSection } from './sections/profile-section.js'
import { rescoreSection } from './sections/rescore-section.js'
import { rewardTrainSection, scoreSection } from './sections/reward-section.js'
import { quickstartSection, runSection } from './sections/run-section.js'
import { serveSection } from './sections/serve-section.js'
import { sftStartSection } from './sections/sft-start-section.js'
import { trainSection } from './sections/train-section.js'

/** The keys by section, in the order in which they are shown. A command reads some of the sections. */
export const SECTIONS = {
  model: modelSection,
  data: dataSection,
  method: methodSection,
  rescore: rescoreSection,
  train: trainSection,
  lora: loraSection,
  score: scoreSection,
  endpoint: endpointSection,
  rewardTrain: rewardTrainSection,
  sftStart: sftStartSection,
  rounds: roundsSection,
  generate: generateSection,
  prompt: promptSection,
  augment: augmentSection,
  evaluate: evaluateSection,
  judge: judgeSection,
  serve: serveSection,
  run: runSection,
  profile: profileSection,
  explain: explainSection,
  merge: mergeSection,
  quickstart: quickstartSection,
}

export type SectionName = keyof typeof SECTIONS

const shape = {
  ...modelSection,
  ...dataSection,
  ...methodSection,
  ...rescoreSection,
  ...trainSection,
  ...loraSection,
  ...scoreSection,
  ...endpointSection,
  ...rewardTrainSection,
  ...sftStartSection,
  ...roundsSection,
  ...generateSection,
  ...promptSection,
  ...augmentSection,
  ...evaluateSection,
  ...judgeSection,
  ...serveSection,
  ...runSection,
  ...profileSection,
  ...explainSection,
  ...mergeSection,
  ...quickstartSection,
}

/** Unknown keys are errors; what depends on other keys is in `rules.ts` and `defaults.ts`. */
export const configZod = z.strictObject(shape)

export type ConfigKey = keyof typeof shape
export type ConfigInput = z.input<typeof configZod>
export type ParsedConfig = z.output<typeof configZod>

export const CONFIG_KEYS = Object.keys(shape) as ConfigKey[]

export const isConfigKey = (name: string): name is ConfigKey => Object.hasOwn(shape, name)

/** One key's schema. */
export const keyZod = (key: ConfigKey): z.ZodType => shape[key]

/** Whether a key may be left empty (`key:` or `--key null`), which means "not set". */
export const isOptional = (key: ConfigKey): boolean => shape[key] instanceof z.ZodOptional

export interface JsonSchema {
  type?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  examples?: unknown[]
  anyOf?: JsonSchema[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  additionalProperties?: boolean | JsonSchema
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  exclusiveMaximum?: number
  minLength?: number
  minItems?: number
  required?: string[]
}

type ConfigJsonSchema = JsonSchema & { properties: Record<ConfigKey, JsonSchema> }

let cached: ConfigJsonSchema | undefined

/** The JSON Schema (draft 2020-12) of a config file, for editors and for machines. */
export function configSchema(): ConfigJsonSchema {
  cached ??= {
    title: 'clha config',
    ...z.toJSONSchema(configZod, { io: 'input' }),
  } as unknown as ConfigJsonSchema
  return cached
}
