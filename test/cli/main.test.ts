import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { main } from '../../src/cli/main.js'
import { alignCommand } from '../../src/commands/align/index.js'
import { chatCommand } from '../../src/commands/chat/index.js'
import type { Command } from '../../src/commands/command.js'
import { evalCommand } from '../../src/commands/eval/index.js'
import { generateCommand } from '../../src/commands/generate/index.js'
import { COMMANDS } from '../../src/commands/index.js'
import { type PipelineCommand, pipeline } from '../../src/commands/pipeline.js'
import type { Pipeline } from '../../src/commands/pipeline-spec.js'
import { quickstartCommand } from '../../src/commands/quickstart/index.js'
import { rescoreCommand } from '../../src/commands/rescore/index.js'
import { rewardScoreCommand } from '../../src/commands/reward-score/index.js'
import { rewardTrainCommand } from '../../src/commands/reward-train/index.js'
import { trainCommand } from '../../src/commands/train/index.js'
import { flagName } from '../../src/config/flags.js'
import type { ResolvedConfig } from '../../src/config/load-config.js'
import { CONFIG_KEYS } from '../../src/config/schema.js'
import { usageError } from '../../src/errors.js'
import { Sink } from '../helpers/sink.js'

const PIPELINES: readonly PipelineCommand[] = [
  alignCommand,
  trainCommand,
  rewardTrainCommand,
  rewardScoreCommand,
  rescoreCommand,
  evalCommand,
  generateCommand,
  chatCommand,
  quickstartCommand,
]

async function call(
  argv: string[],
  commands: readonly Command[] = COMMANDS,
  env: NodeJS.ProcessEnv = {},
  input = '',
) {
  const stdout = new Sink()
  const stderr = new Sink()
  const code = await main(argv, { stdin: Readable.from([input]), stdout, stderr, env, exit() {} }, commands)
  return { code, out: stdout.text, err: stderr.text }
}

/** All pipeline commands, each running the given pipeline. */
const withPipeline = (work: Pipeline) =>
  PIPELINES.map((command) => pipeline({ ...command, load: async () => work }))

function recording() {
  const seen: ResolvedConfig[] = []
  const commands = withPipeline(async (config, ui) => {
    seen.push(config)
    ui.line('working')
    return { outputDir: config.options.outputDir }
  })
  return { seen, commands }
}

describe('help', () => {
  test('lists the commands with examples, and ends with 0', async () => {
    const { code, out } = await call(['--help'])
    expect(code).toBe(0)
    for (const name of [
      'align',
      'train',
      'reward',
      'rescore',
      'eval',
      'generate',
      'chat',
      'quickstart',
      'doctor',
      'config',
    ]) {
      expect(out).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
    }
    expect(out).toContain('Examples:\n  clha ')
  })

  test('of a command has every key of its sections as a flag, with its meaning', async () => {
    const commands = withPipeline(async () => ({}))
    for (const command of commands) {
      const { out } = await call([...command.path, '--help-all'], commands)
      for (const key of command.keys) {
        const flag = flagName(key)
        expect(
          out.includes(`${flag} `) || out.includes(`${flag}\n`) || out.includes(`--no-${flag.slice(2)} `),
          `${command.path} ${flag}`,
        ).toBe(true)
      }
      expect(out).toContain('Examples:')
    }
  })

  test('of config show has every key there is', async () => {
    const { out } = await call(['config', 'show', '--help-all'])
    for (const key of CONFIG_KEYS) expect(out).toMatch(new RegExp(`--(no-)?${flagName(key).slice(2)}\\b`))
  })

  test('without a command goes to standard error, with 2', async () => {
    const { code, out, err } = await call([])
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('Usage: clha')
  })

  test('the version is that of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    expect((await call(['--version'])).out).toBe(`${version}\n`)
  })
})

describe('wrong calls end with 2 and a suggestion', () => {
  test.each([
    [['docter'], 'unknown command "docter". Did you mean "doctor"?'],
    [['config', 'shw'], 'unknown command "shw". Did you mean "show"?'],
    [
      ['config', 'show', '--learning-rat', '1'],
      'unknown option "--learning-rat". Did you mean "--learning-rate"?',
    ],
    [['config', 'show', '--margin'], "option '--margin <number>' argument missing"],
    [['config', 'show', 'a.yaml', 'b.yaml'], 'too many arguments'],
    [['config', 'show', '--margin', 'wide'], '--margin  expected a number of at least 0, found "wide"'],
    [['config', 'show', 'none.yaml'], 'none.yaml: no such file'],
  ])('%j', async (argv, message) => {
    const { code, out, err } = await call(argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(err).not.toContain('    at ')
  })

  test('a flag that another command has', async () => {
    const { err } = await call(
      ['chat', '--margin', '1'],
      withPipeline(async () => ({})),
    )
    expect(err).toContain('clha chat does not use --margin')
  })

  test('a key that the command needs', async () => {
    const { code, err } = await call(['train', '--train-dataset', 'a'], recording().commands)
    expect(code).toBe(2)
    expect(err).toContain('clha train  model_name_or_path or model_config is missing')
    expect(err).toContain('with --model-name-or-path')
  })

  test('with --json the error is a JSON line too', async () => {
    const { out } = await call(['train', '--json', '--margin', '-1'], recording().commands)
    expect(JSON.parse(out)).toEqual({
      error: { message: '--margin  expected a number of at least 0, found -1', exit_code: 2 },
    })
  })
})

describe('a pipeline command', () => {
  test('hands the resolved config to its pipeline', async () => {
    const { seen, commands } = recording()
    const flags = [
      '--model-name-or-path',
      'm',
      '--train-dataset',
      'a',
      '--train-dataset',
      'b',
      '--no-load-best-model-at-end',
    ]
    const { code, out, err } = await call(['train', ...flags, '--margin', '0.5', '--skip-bad'], commands)
    expect([code, out, err]).toEqual([0, 'working\n', ''])
    expect(seen[0].options).toMatchObject({
      modelNameOrPath: 'm',
      trainDataset: ['a', 'b'],
      margin: 0.5,
      skipBad: true,
      loadBestModelAtEnd: false,
      outputDir: join('runs', 'train'),
    })
  })

  test('with --json writes its result as a line, and text to standard error', async () => {
    const { commands } = recording()
    const { out, err } = await call(['chat', '--model-name-or-path', 'm', '--json'], commands)
    expect(JSON.parse(out)).toEqual({ result: { output_dir: join('runs', 'chat') } })
    expect(err).toBe('working\n')
  })

  test('takes a data file where that makes sense', async () => {
    const { seen, commands } = recording()
    await call(['rescore', 'prefs.jsonl', '--reward-model', 'rm'], commands)
    expect(seen[0].options.trainDataset).toEqual(['prefs.jsonl'])
    const twice = await call(['rescore', 'prefs.jsonl', '--train-dataset', 'x'], commands)
    expect([twice.code, seen.length]).toEqual([2, 1])
  })

  test('resumes with the config of the run folder', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'clha-'))
    writeFileSync(join(folder, 'config.yaml'), 'model_name_or_path: m\ntrain_dataset: a\nmargin: 0.25\n')
    const { seen, commands } = recording()
    await call(['train', '--resume-from-checkpoint', join(folder, 'checkpoint-5')], commands)
    await call(['train', '--resume-from-checkpoint', folder], commands)
    expect(seen.map((config) => config.options.margin)).toEqual([0.25, 0.25])
  })

  test('gets the lines of standard input', async () => {
    const lines: string[] = []
    const commands = withPipeline(async (_config, _ui, input) => {
      for await (const line of input) lines.push(line)
      return {}
    })
    await call(['chat', '--model-name-or-path', 'm'], commands, {}, 'hello\nbye\n')
    expect(lines).toEqual(['hello', 'bye'])
  })

  test('that a signal stopped ends with 130', async () => {
    const commands = withPipeline(async () => {
      process.emit('SIGINT', 'SIGINT')
      return {}
    })
    const { code, out } = await call(['chat', '--model-name-or-path', 'm'], commands)
    expect(code).toBe(130)
    expect(out).toContain('stopping after this step …')
    expect(process.listenerCount('SIGHUP')).toBe(0)
  })
})

describe('what goes wrong inside', () => {
  const failing = (error: unknown) =>
    withPipeline(async () => {
      throw error
    })
  const argv = ['chat', '--model-name-or-path', 'm']

  test('a known error keeps its exit code and its hint', async () => {
    const { code, err } = await call(argv, failing(usageError('a.jsonl:7  broken', 'mend it\nor skip it')))
    expect([code, err]).toEqual([2, 'a.jsonl:7  broken\n  mend it\n  or skip it\n'])
  })

  test('anything else is called a bug, in two lines, with 1', async () => {
    const { code, err } = await call(argv, failing(new TypeError('x is not a function')))
    expect([code, err]).toEqual([
      1,
      'unexpected: x is not a function\n  this is a bug in clha; CLHA_DEBUG=1 shows where\n',
    ])
  })

  test('the stack is shown on request only', async () => {
    const { err } = await call(argv, failing(new TypeError('x')), { CLHA_DEBUG: '1' })
    expect(err).toContain('    at ')
  })

  test("an error's text can't steer the terminal", async () => {
    const { err } = await call(argv, failing(new Error('\u001b[2J')))
    expect(err).not.toContain('\u001b')
  })
})

test('config schema prints the schema, config show --json the values', async () => {
  expect(JSON.parse((await call(['config', 'schema'])).out).properties.margin.default).toBe(1)
  const { out } = await call(['config', 'show', '--json', '--mode', 'legacy'])
  expect(JSON.parse(out).config).toMatchObject({
    margin: 3,
    gate_level: 0,
    stop: ['Human:', 'human:', 'Assistant:', 'assistant:'],
  })
})
