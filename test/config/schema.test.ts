import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { flagName, flagSpec } from '../../src/config/flags.js'
import { parseConfig } from '../../src/config/load-config.js'
import { CONFIG_KEYS, configSchema, configZod, SECTIONS } from '../../src/config/schema.js'
import { showConfig } from '../../src/config/show.js'
import { editDistance, suggest } from '../../src/config/suggest.js'
import { FORMATS } from '../../src/data/formats/registry.js'
import { camelCase, snakeCase } from '../../src/key-names.js'

describe('the schema', () => {
  test('has every key in exactly one section', () => {
    const keys = Object.values(SECTIONS).flatMap((section) => Object.keys(section))
    expect(new Set(keys).size).toBe(keys.length)
    expect([...keys].sort()).toEqual([...CONFIG_KEYS].sort())
  })

  test('describes every key in one line', () => {
    for (const [key, schema] of Object.entries(configSchema().properties)) {
      expect(schema.description, key).toMatch(/^\S.{9,140}$/)
    }
  })

  test('knows the data formats that the reader knows', () => {
    expect(configSchema().properties.dataset_format.enum!.toSorted()).toEqual(
      ['auto', ...FORMATS.map((format) => format.name)].toSorted(),
    )
  })

  test('becomes a JSON Schema that judges configs as the schema itself does', () => {
    const json = configSchema()
    expect(json.additionalProperties).toBe(false)
    expect(json.required ?? []).toEqual([])
    const rebuilt = z.fromJSONSchema(json as never)
    const size = { hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2 }
    const samples: [object, boolean][] = [
      [{}, true],
      [{ learning_rate: 1e-6, margin: 0, train_dataset: ['a', 'b'], report_to: 'jsonl' }, true],
      [{ model_config: size }, true],
      [{ model_config: 'config.json', resume_from_checkpoint: true }, true],
      [{ model_config: { ...size, heads: 2 } }, false],
      [{ model_config: { hidden_size: 8 } }, false],
      [{ learning_rate: 0 }, false],
      [{ max_dropped: 1.5 }, false],
      [{ folds: 1.5 }, false],
      [{ mode: 'paper' }, false],
      [{ train_dataset: [] }, false],
      [{ report_to: ['wandb'] }, false],
      [{ learning_rat: 1 }, false],
    ]
    for (const [sample, valid] of samples) {
      expect([sample, configZod.safeParse(sample).success]).toEqual([sample, valid])
      expect([sample, rebuilt.safeParse(sample).success]).toEqual([sample, valid])
    }
  })

  test('its defaults are those of an empty config in default mode', () => {
    const { values, origin } = parseConfig('my.yaml', '')
    for (const key of CONFIG_KEYS) {
      if (origin[key] !== 'default') continue
      expect([key, configSchema().properties[key].default]).toEqual([key, values[key]])
    }
  })
})

test('every key is a flag, and names convert both ways', () => {
  for (const key of CONFIG_KEYS) {
    expect(flagName(key)).toMatch(/^--[a-z0-9]+(-[a-z0-9]+)*$/)
    expect(snakeCase(camelCase(key))).toBe(key)
  }
  expect(Object.keys(parseConfig('my.yaml', '').options)).toContain('perDeviceTrainBatchSize')
  expect(flagSpec('skip_bad').kind).toBe('switch')
  expect(flagSpec('stop').kind).toBe('list')
  expect(flagSpec('margin')).toMatchObject({ kind: 'value', placeholder: '<number>', default: '1' })
})

describe('config show', () => {
  test.each([
    '',
    'mode: legacy',
    'method: sft\nmax_steps: 20',
    'eval_dataset: dev.jsonl\nwarmup_steps: 3\ngate_level: 0.5\ntemperature: 0.7\ntop_k: 5',
    'columns: {prompt: "a: b", chosen: "c,d"}\nstop: ["\\n\\nHuman:", "a #b"]\nprompt: "007"\nchat_template: "yes"',
    'reward_model: rm\nsft_num_train_epochs: 0\ndev_fraction: 0',
    'model_config: {hidden_size: 8, intermediate_size: 8, num_hidden_layers: 1, num_attention_heads: 2}',
  ])('of %j reads back as the same config', (yaml) => {
    const config = parseConfig('my.yaml', yaml)
    expect(parseConfig('shown.yaml', showConfig(config)).values).toEqual(config.values)
  })

  test('says what a key means and who set it', () => {
    const lines = showConfig(parseConfig('my.yaml', 'mode: legacy\nseed: 7', { margin: 2 })).split('\n')
    expect(lines).toContain('seed: 7  # set')
    expect(lines).toContain('margin: 2  # flag')
    expect(lines).toContain('reward_threshold: 3  # mode')
    expect(lines).toContain('dtype: float32  # default')
    expect(lines).toContain('# train_dataset:')
    expect(lines[lines.indexOf('seed: 7  # set') - 1]).toBe('# seed of every random choice')
    expect(lines.join('\n')).not.toContain('min_confidence')
  })
})

test('a suggestion is near, or there is none', () => {
  expect(editDistance('kitten', 'sitting')).toBe(3)
  expect(editDistance('ab', 'ba')).toBe(1)
  expect(editDistance('', 'abc')).toBe(3)
  expect(suggest('trian', ['train', 'align'])).toBe('train')
  expect(suggest('Margin', ['margin'])).toBe('margin')
  expect(suggest('quux', ['train', 'align'])).toBeUndefined()
})
