/** `clha config show`: what a config comes to, with its defaults and their meaning. */
import { loadConfig } from '../../../config/load-config.js'
import {
  CONFIG_KEYS,
  type ConfigKey,
  SECTION_TITLES,
  SECTIONS,
  type SectionName,
} from '../../../config/schema.js'
import { showConfig } from '../../../config/show.js'
import { toJsonLine } from '../../../show/json-lines.js'
import type { Command } from '../../command.js'

export const configShowCommand: Command = {
  path: ['config', 'show'],
  summary: 'print every key with its value, its meaning and who set it',
  examples: ['clha config show', 'clha config show my.yaml --mode legacy', 'clha config show > my.yaml'],
  arguments: [['[config]', 'YAML config; flags win over it']],
  flags: [],
  keys: CONFIG_KEYS,
  groups: (Object.keys(SECTIONS) as SectionName[]).map((section) => ({
    heading: SECTION_TITLES[section],
    keys: Object.keys(SECTIONS[section]) as ConfigKey[],
  })),
  first: [
    'model_name_or_path',
    'train_dataset',
    'reward_model',
    'method',
    'mode',
    'learning_rate',
    'num_train_epochs',
    'max_length',
    'use_peft',
    'output_dir',
  ],
  json: 'the values as one line of JSON',
  unstoppable: true,
  async run({ args: [file], flags, terminal: { json, print } }) {
    const config = await loadConfig(file, flags)
    print(json ? toJsonLine({ config: config.values as never }) : `${showConfig(config)}\n`)
    return {}
  },
}
