/** One rule for all commands: a key that has no effect in a command is not in its help and is refused. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { reachOf, readGraph } from '../../scripts/reach.mjs'
import { main } from '../../src/cli/main.js'
import type { Command } from '../../src/commands/command.js'
import { COMMANDS } from '../../src/commands/index.js'
import { type PipelineCommand, pipeline } from '../../src/commands/pipeline.js'
import { rewardTrainCommand } from '../../src/commands/reward-train/index.js'
import { flagName } from '../../src/config/flags.js'
import type { ResolvedConfig } from '../../src/config/load-config.js'
import { CONFIG_KEYS, type ConfigKey } from '../../src/config/schema.js'
import * as clha from '../../src/index.js'
import { camelCase } from '../../src/key-names.js'
import { Sink } from '../helpers/sink.js'

const isPipeline = (command: Command): command is PipelineCommand => 'sections' in command
const PIPELINES = COMMANDS.filter(isPipeline)

async function call(argv: readonly string[], commands: readonly Command[] = COMMANDS) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(argv, { stdin: Readable.from([]), stdout, stderr, env: {}, exit() {} }, commands)
  return { code, out: stdout.text, err: stderr.text }
}

interface Links {
  imports: string[]
  dynamic: string[]
}
const ROOT = resolve(import.meta.dirname, '../..')
const graph: Map<string, Links> = readGraph()

/** The text of the files that a command runs, without the config's own. */
function sourcesOf({ path }: Command): string {
  const folder = `src/commands/${path.join('-')}`
  const { imports, dynamic } = graph.get(`${folder}/index.ts`) as Links
  const work = [...imports, ...dynamic].filter((file) => file.startsWith(`${folder}/`))
  expect(work, path.join(' ')).toHaveLength(1)
  const reached = [...(reachOf(graph, work[0], { later: true }) as Set<string>)]
  const files = reached.filter((file) => !/^src\/(config|public)\//.test(file))
  return files.map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n')
}

/** A plan takes the command line of the training that it plans as it is. */
const codeBehind = (command: Command): Command[] =>
  command.path[0] === 'plan'
    ? [command, ...PIPELINES.filter(({ path }) => ['train', 'reward train'].includes(path.join(' ')))]
    : [command]

test.each(PIPELINES.map((command) => [command.path.join(' '), command] as const))(
  'every key of clha %s is read by the code that it runs',
  (_, command) => {
    const sources = codeBehind(command).map(sourcesOf).join('\n')
    const unread = command.keys.filter((key) => !new RegExp(`\\b${camelCase(key)}\\b`).test(sources))
    expect(unread).toEqual([])
  },
)

/** Keys that looking at names in the source can't find: files that a command reaches read them for another one. */
const NO_EFFECT: readonly [command: string, ...keys: ConfigKey[]][] = [
  ['reward train', 'gradient_accumulation_steps', 'eval_steps', 'early_stopping_patience', 'guidance'],
  ['reward score', 'model_name_or_path', 'logging_steps', 'eval_dataset', 'dev_fraction'],
  ['rescore', 'model_name_or_path', 'beta', 'margin', 'save_steps', 'test_fraction'],
  ['augment', 'eval_dataset', 'report_to', 'model_config'],
  ['explain', 'beta', 'method', 'save_total_limit'],
  ['eval', 'num_samples', 'save_steps', 'profile'],
  ['generate', 'train_dataset', 'truncation', 'max_tokens_per_batch'],
  ['chat', 'num_samples', 'eval_batch_size', 'model_config'],
  ['merge', 'tokenizer_name_or_path', 'chat_template', 'seed', 'load_in_4bit'],
  ['align', 'dev_fraction', 'early_stopping_patience', 'save_total_limit', 'num_samples'],
  ['quickstart', 'model_name_or_path', 'tokenizer_name_or_path', 'train_dataset', 'eval_steps'],
  ['train', 'num_samples', 'temperature', 'top_k', 'top_p', 'folds', 'rounds'],
  ['plan', 'num_samples', 'temperature', 'top_k', 'top_p', 'rounds'],
]

describe.each(NO_EFFECT)('clha %s', (name, ...keys) => {
  const path = name.split(' ')
  test.each(keys)('has no flag for %s', async (key) => {
    const help = await call([...path, '--help-all'])
    expect(help.out).not.toMatch(new RegExp(`${flagName(key)}[ \\n]`))
    const { code, err } = await call([...path, flagName(key), '1'])
    expect([code, err.split('\n')[0]]).toEqual([2, `clha ${name} does not use ${flagName(key)}`])
  })
})

test('a function refuses the keys that its command has no flag for', async () => {
  await expect(clha.generate({ prompt: 'Hi', modelNameOrPath: 'm', learningRate: 1 })).rejects.toMatchObject({
    exitCode: 2,
    message: 'clha generate does not use learning_rate',
  })
  await expect(clha.trainReward({ trainDataset: 'd', gradientAccumulationSteps: 2 })).rejects.toThrow(
    'clha reward train does not use gradient_accumulation_steps',
  )
})

describe('reward train', () => {
  function recording() {
    const seen: ResolvedConfig[] = []
    const command = pipeline({
      ...rewardTrainCommand,
      async load() {
        return async (config) => {
          seen.push(config)
          return {}
        }
      },
    })
    return { seen, command }
  }
  const ARGS = ['reward', 'train', '--model-name-or-path', 'm', '--train-dataset', 'd']

  test('short names mean the settings of the reward model', async () => {
    const { seen, command } = recording()
    const flags = ['--learning-rate', '3e-5', '--max-steps', '7', '--per-device-train-batch-size', '4']
    expect(await call([...ARGS, ...flags], [command])).toMatchObject({ code: 0, err: '' })
    await call([...ARGS, '--num-train-epochs', '3'], [command])
    expect(seen[0].values).toMatchObject({
      reward_learning_rate: 3e-5,
      reward_max_steps: 7,
      reward_per_device_train_batch_size: 4,
      learning_rate: 1e-6,
    })
    expect(seen[0].values.max_steps).toBeUndefined()
    expect(seen[1].values.reward_num_train_epochs).toBe(3)
  })

  test('so they do in the library', async () => {
    const { seen, command } = recording()
    await command.call(
      { modelNameOrPath: 'm', trainDataset: 'd', learningRate: 2e-5 },
      undefined,
      clha.createUi(),
    )
    expect(seen[0].options.rewardLearningRate).toBe(2e-5)
  })

  test('the long names are taken too, and help shows both', async () => {
    const { seen, command } = recording()
    await call([...ARGS, '--reward-learning-rate', '3e-5'], [command])
    expect(seen[0].values.reward_learning_rate).toBe(3e-5)
    expect((await call(['reward', 'train', '--help'])).out).toContain(
      '--learning-rate, --reward-learning-rate <number>',
    )
  })

  test('a short name in a file, which may be for clha align, is said not to count', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'clha-')), 'my.yaml')
    writeFileSync(file, 'model_name_or_path: m\ntrain_dataset: d\nlearning_rate: 0.5\n')
    const { seen, command } = recording()
    const { code, out } = await call(['reward', 'train', file], [command])
    expect(code).toBe(0)
    expect(out).toContain(`${file}: learning_rate is for other commands`)
    expect(out).toContain('clha reward train goes by reward_learning_rate (0.00001)')
    expect(seen[0].values.reward_learning_rate).toBe(1e-5)
    const given = await call(['reward', 'train', file, '--learning-rate', '0.1'], [command])
    expect(given.out).not.toContain('for other commands')
  })

  test('its steps and its passes exclude each other', async () => {
    const { err } = await call([...ARGS, '--max-steps', '7', '--num-train-epochs', '2'])
    expect(err).toContain('reward_num_train_epochs has no effect: reward_max_steps decides')
  })
})

test('every key is a flag of some command', () => {
  const taken = new Set(COMMANDS.filter(({ path }) => path[0] !== 'config').flatMap(({ keys }) => keys))
  expect(CONFIG_KEYS.filter((key) => !taken.has(key))).toEqual([])
})
