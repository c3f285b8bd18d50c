/** Sections of the config that two commands read alike. */
import type { SectionName } from '../config/schema.js'

/** Of `clha train` and its plan. */
export const TRAIN_SECTIONS: readonly SectionName[] = [
  'model',
  'data',
  'method',
  'rescore',
  'train',
  'lora',
  'score',
  'endpoint',
  'generate',
  'run',
  'profile',
]
