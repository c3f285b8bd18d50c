/** The one schema of all settings: a flat mapping, as TRL has it. Every key is also a flag. */
import { z } from 'zod'
import { sftStartSection } from './align.js'
import { dataSection } from './data.js'
import { evaluateSection } from './evaluate.js'
import { generateSection, promptSection } from './generate.js'
import { methodSection } from './method.js'
import { modelSection } from './model.js'
import { rescoreSection } from './rescore.js'
import { rewardTrainSection, scoreSection } from './reward.js'
import { quickstartSection, runSection } from './run.js'
import { trainSection } from './train.js'

/** The keys by section, in the order in which they are shown. A command reads some of the sections. */
export const SECTIONS = {
  model: modelSection,
  data: dataSection,
  method: methodSection,
  rescore: rescoreSection,
  train: trainSection,
  score: scoreSection,
  rewardTrain: rewardTrainSection,
  sftStart: sftStartSection,
  generate: generateSection,
  prompt: promptSection,
  evaluate: evaluateSection,
  run: runSection,
  quickstart: quickstartSection,
}

export type SectionName = keyof typeof SECTIONS

/** How help and `config show` call the sections. */
export const SECTION_TITLES: Record<SectionName, string> = {
  model: 'Model',
  data: 'Data',
  method: 'Method',
  rescore: 'Labels, pairs and gates',
  train: 'Training',
  score: 'Rewards',
  rewardTrain: 'Training a reward model',
  sftStart: 'SFT start',
  generate: 'Generation',
  prompt: 'Prompts and answers',
  evaluate: 'Evaluation',
  run: 'Run folder, logs and checkpoints',
  quickstart: 'Quickstart',
}

const shape = {
  ...modelSection,
  ...dataSection,
  ...methodSection,
  ...rescoreSection,
  ...trainSection,
  ...scoreSection,
  ...rewardTrainSection,
  ...sftStartSection,
  ...generateSection,
  ...promptSection,
  ...evaluateSection,
  ...runSection,
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
