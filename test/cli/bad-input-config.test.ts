/** Configs, paths and machines that are not right: every issue with its line, and nothing written. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { native } from '../../src/tensor/index.js'
import { badInputFolder, call, lines, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const PAIR = { prompt: 'a question', chosen: 'good', rejected: 'bad', score_chosen: 1, score_rejected: 0 }
const train = (...flags: string[]) => [
  ...['train', '--method', 'sft', '--model-name-or-path', files.model, '--train-dataset', files.data],
  ...['--max-steps', '1', '--max-length', '64', '--threads', '1', ...flags],
]
const rescore = (...flags: string[]) => [
  ...['rescore', put(files, 'scored.jsonl', lines(PAIR)), '--threads', '1'],
  ...['--label-error', '0.25', '--reward-temperature', '1', ...flags],
]

describe('a config', () => {
  test.each<[string, string, RegExp]>([
    [
      'an unknown key',
      'learning_rat: 1.0e-6\n',
      /:1:1 +unknown key "learning_rat"\. Did you mean "learning_rate"\?/,
    ],
    ['a key set twice', 'seed: 1\nseed: 2\n', /:2:1 +"seed" is set twice; the first time in line 1/],
    ['a tab', 'model_config:\n\thidden_size: 3\n', /:2:1 .*[Tt]ab/],
    ['a wrong type', 'seed: many\n', /:1:7 +seed: .*number.*many/s],
    ['a number out of range', 'seed: 1\ndev_fraction: 2\n', /:2:15 +dev_fraction: /],
    ['a list instead of a mapping', '- seed\n', /:1:1 +expected a mapping of keys, found a list/],
    ['an open bracket', 'stop: [a\n', /bad\.yaml:\d+:\d+ /],
    [
      'a key without effect',
      'sft_gate: "off"\ngate_level: 1\n',
      /:2:1 +gate_level has no effect: sft_gate is off/,
    ],
  ])('with %s', async (name, content, message) => {
    const path = put(files, `${name}/bad.yaml`, content)
    await refused(files, ['train', path, '--output-dir', '$out'], [message])
  })

  test('that is not there', () =>
    refused(files, ['train', 'none.yaml'], ['none.yaml: no such file', 'YAML config']))

  test('with several faults is told all of them at once', async () => {
    const path = put(files, 'many.yaml', 'sed: 1\nmargin: wide\n')
    await refused(files, ['train', path], [/many\.yaml:1:1 .*"seed"/, /many\.yaml:2:9 +margin/])
  })

  test('and model sizes from a file that is not JSON', async () => {
    const sizes = put(files, 'sizes.json', '{')
    const argv = ['train', '--model-config', sizes, '--tokenizer-name-or-path', files.model]
    await refused(
      files,
      [...argv, '--train-dataset', files.data, '--output-dir', '$out'],
      ['sizes.json: not JSON'],
    )
  })
})

describe('missing needs', () => {
  test('name every flag that would do', () =>
    refused(
      files,
      ['train'],
      [
        'train_dataset is missing',
        'model_name_or_path or model_config is missing',
        'with --train-dataset and --model-name-or-path',
      ],
    ))

  test('a run to resume that is not there', () =>
    refused(files, ['train', '--resume-from-checkpoint', 'runs/none'], ['runs/none: no such folder']))
})

describe('an output folder', () => {
  test('that is a file', async () => {
    const path = put(files, 'taken', 'mine')
    await refused(files, rescore('--output-dir', path), [
      /taken: a file stands where a folder is needed/,
      'output_dir',
    ])
    await refused(files, train('--output-dir', path), [/taken: a file stands where a folder is needed/])
    expect(fs.readFileSync(path, 'utf8')).toBe('mine')
  })

  test('below a file', async () => {
    const path = put(files, 'taken-too', 'mine')
    await refused(files, train('--output-dir', join(path, 'run')), [/a file stands where a folder is needed/])
  })

  test.skipIf(process.getuid?.() === 0)('that may not be written (not checked as root)', async () => {
    const path = join(files.dir, 'read-only')
    fs.mkdirSync(path, { mode: 0o555 })
    await refused(files, rescore('--output-dir', join(path, 'run')), ['permission denied', 'permissions'])
  })

  test('that another process writes to is left as it is', async () => {
    const path = join(files.dir, 'busy')
    fs.mkdirSync(path)
    const lock = native().tryLock(join(path, '.lock'))!
    try {
      await refused(files, train('--output-dir', path), ['busy: another process is writing', 'output_dir'], 3)
      await refused(files, rescore('--output-dir', path), ['busy: another process is writing'], 3)
    } finally {
      native().unlock(lock)
    }
    expect(fs.readdirSync(path)).toEqual(['.lock'])
  })

  test('that holds a run already', async () => {
    const first = await call(files, train('--output-dir', '$out'))
    expect(first.code).toBe(0)
    const before = fs.readFileSync(join(first.out, 'config.yaml'), 'utf8')
    await refused(files, train('--output-dir', first.out, '--seed', '7'), [
      'already holds a run',
      '--resume-from-checkpoint',
    ])
    expect(fs.readFileSync(join(first.out, 'config.yaml'), 'utf8')).toBe(before)
  })
})

describe('a machine that is too small', () => {
  /** Files are written beside their name first; that name leads to a disk without room here. */
  const fullDisk = (...path: string[]) => {
    const name = join(files.dir, ...path)
    fs.mkdirSync(join(name, '..'), { recursive: true })
    fs.symlinkSync('/dev/full', `${name}.partial`)
    return name
  }

  test('a full disk ends a rescoring with exit 4', async () => {
    const path = fullDisk('full', 'rescored.jsonl')
    await refused(files, rescore('--output-dir', join(path, '..')), ['ENOSPC', 'free some space'], 4)
    expect(fs.existsSync(path)).toBe(false)
  })

  test('a full disk ends a generation and a scoring with exit 4', async () => {
    const answers = fullDisk('full-2', 'answers.jsonl')
    const argv = ['generate', '--model-name-or-path', files.model, '--prompt', 'hi', '--threads', '1']
    await refused(files, [...argv, '--max-new-tokens', '2', '--output-file', answers], ['ENOSPC'], 4)
    const scores = fullDisk('full-3', 'scores.jsonl')
    const scoring = ['reward', 'score', files.data, '--reward-model', files.reward, '--threads', '1']
    await refused(files, [...scoring, '--max-length', '64', '--output-file', scores], ['ENOSPC'], 4)
    expect([answers, scores].filter((path) => fs.existsSync(path))).toEqual([])
  })

  test('too little memory ends with exit 4', async () => {
    const sizes =
      '{hidden_size: 1024, intermediate_size: 2000000000, num_hidden_layers: 1, num_attention_heads: 1}'
    const argv = [
      'train',
      '--model-config',
      sizes,
      '--tokenizer-name-or-path',
      files.model,
      '--train-dataset',
      files.data,
    ]
    await refused(
      files,
      [...argv, '--method', 'sft', '--threads', '1', '--output-dir', '$out'],
      [/out of memory|allocate/],
      4,
    )
  })
})
