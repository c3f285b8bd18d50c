import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadConfig, parseConfig } from '../../src/config/load-config.js'
import type { ClhaError } from '../../src/errors.js'

/** The lines of the error that a config gives. */
function complaints(yaml: string, flags: Record<string, unknown> = {}): string[] {
  try {
    parseConfig('my.yaml', yaml, flags)
  } catch (error) {
    expect((error as ClhaError).exitCode).toBe(2)
    return (error as ClhaError).message.split('\n')
  }
  return []
}

describe('errors name the place, the key, what is expected and what was found', () => {
  test('an unknown key, with the nearest one', () => {
    const yaml = 'margin: 1\nmethod: clha\n\n\n\n\nlearning_rat: 1e-6\n'
    expect(complaints(yaml)).toEqual([
      'my.yaml:7:1  unknown key "learning_rat". Did you mean "learning_rate"?',
    ])
  })

  test('an unknown key with nothing near it gets no guess', () => {
    expect(complaints('zzzzzz: 1\n')).toEqual(['my.yaml:1:1  unknown key "zzzzzz".'])
  })

  test('a key of another tool is answered with ours', () => {
    expect(complaints('torch_dtype: bfloat16\nblock_size: 512\nbnb_4bit_quant_type: nf4\n')).toEqual([
      'my.yaml:1:1  unknown key "torch_dtype". Use dtype.',
      'my.yaml:2:1  unknown key "block_size". Use max_length.',
      'my.yaml:3:1  unknown key "bnb_4bit_quant_type". Use load_in_4bit (NF4) or load_in_8bit.',
    ])
  })

  test('of every key that config import knows it says ours, or why there is none; a near miss is not guessed', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'clha-foreign-')), 'their.yaml')
    const advice = {
      'rpo_alpha: 1': 'Use sft_weight',
      'pref_beta: 0.1': 'Use beta',
      'test_datasets: [{path: x.jsonl}]': 'Use eval_dataset: "x.jsonl"',
      'finetuning_type: lora': 'Use use_peft: true',
      'stage: dpo': 'A key of LLaMA-Factory (clha config import reads such files): method says it',
      'eval_strategy: steps':
        'A key of TRL, LLaMA-Factory, Axolotl (clha config import reads such files): eval_steps says how often',
    }
    writeFileSync(file, Object.keys(advice).join('\n'))
    const error = (await loadConfig(file).catch((e: unknown) => e)) as ClhaError
    const told = error.message.split('\n').map((line) => line.replace(/^.*unknown key "\w+"\. /, ''))
    expect(told).toEqual(Object.values(advice).map((text) => `${text}.`))
  })

  test('all issues at once, in the order of the file, flags last', () => {
    const yaml = 'margin: abc\nmargn: 2\nfolds: 1.5\nlr_scheduler_type: cosin\nskip_bad: yes\n'
    expect(complaints(yaml, { maxSteps: '-1' })).toEqual([
      'my.yaml:1:9  margin: expected a number of at least 0, found "abc"',
      'my.yaml:2:1  unknown key "margn". Did you mean "margin"?',
      'my.yaml:3:8  folds: expected a whole number of at least 1, found 1.5',
      'my.yaml:4:20  lr_scheduler_type: expected one of linear, cosine, cosine_with_min_lr, cosine_with_restarts, polynomial, inverse_sqrt, warmup_stable_decay, constant, constant_with_warmup, found "cosin". Did you mean "cosine"?',
      'my.yaml:5:11  skip_bad: expected true or false, found "yes"',
      '--max-steps  expected a whole number of at least 1, found -1',
    ])
  })

  test('a key that is set twice, at any depth', () => {
    expect(complaints('seed: 1\nmargin: 2\nseed: 3\ncolumns:\n  prompt: a\n  prompt: b\n')).toEqual([
      'my.yaml:3:1  "seed" is set twice; the first time in line 1',
      'my.yaml:6:3  "prompt" is set twice; the first time in line 5',
    ])
  })

  test('a mapping inside the mapping: unknown, missing and wrong parts', () => {
    const sizes = 'model_config:\n  hidden_sise: 8\n  intermediate_size: 8\n  num_hidden_layers: 0\n'
    expect(complaints(`${sizes}  num_attention_heads: 2\n`)).toEqual([
      'my.yaml:1:1  model_config.hidden_size is missing: expected a whole number of at least 1',
      'my.yaml:2:3  unknown key "hidden_sise" in model_config. Did you mean "hidden_size"?',
      'my.yaml:4:22  model_config.num_hidden_layers: expected a whole number of at least 1, found 0',
    ])
  })

  test('a tracker that clha does not write to is named, with what works', () => {
    expect(complaints('report_to: [jsonl, wandb]\n')[0]).toBe(
      'my.yaml:1:12  report_to: clha does not write to wandb; what works is tensorboard, mlflow, jsonl (metrics as JSON Lines) and none. wandb takes in what tensorboard wrote: wandb sync RUN/tensorboard',
    )
  })

  test('broken YAML, a list and a missing value', () => {
    expect(complaints('a: [1\n')[0]).toMatch(/^my\.yaml:\d+:\d+ {2}/)
    expect(complaints('- a\n')).toEqual(['my.yaml:1:1  expected a mapping of keys, found a list'])
    expect(complaints('margin:\n')[0]).toContain('margin: expected a number of at least 0, found nothing')
  })

  test('names of the language itself are unknown keys like others', () => {
    expect(complaints('__proto__: 1\nconstructor: 2\n')).toHaveLength(2)
  })

  test('a file that is not there', async () => {
    await expect(loadConfig('no/such.yaml')).rejects.toMatchObject({
      exitCode: 2,
      message: 'no/such.yaml: no such file',
    })
  })
})

describe('what is given', () => {
  test('flags win over the file, and their texts become values', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'clha-')), 'hh.yaml')
    writeFileSync(file, 'margin: 2\nseed: 7\ntrain_dataset: a.jsonl\n')
    const { options, origin, values } = await loadConfig(file, {
      margin: '0.5',
      '--train-dataset': ['b.jsonl', 'c.jsonl'],
      skipBad: true,
      prompt: ['123'],
      modelConfig: '{hidden_size: 8, intermediate_size: 16, num_hidden_layers: 1, num_attention_heads: 2}',
    })
    expect(options.margin).toBe(0.5)
    expect(options.seed).toBe(7)
    expect(options.trainDataset).toEqual(['b.jsonl', 'c.jsonl'])
    expect(options.prompt).toEqual(['123'])
    expect(options.modelConfig).toMatchObject({ hidden_size: 8, tie_word_embeddings: true })
    expect(values.output_dir).toBe(join('runs', 'hh'))
    expect(origin).toMatchObject({
      margin: 'flag',
      seed: 'file',
      skip_bad: 'flag',
      folds: 'default',
      stop: 'default',
    })
  })

  test('a repeated flag is a list, of numbers too', () => {
    const flags = { method: 'dpo', lossType: ['sigmoid', 'sft'], lossWeights: ['1', '0.5'], stop: ['1', '2'] }
    const { options } = parseConfig('my.yaml', '', flags)
    expect(options.lossWeights).toEqual([1, 0.5])
    expect(options.stop).toEqual(['1', '2'])
    expect(complaints('', { ...flags, lossWeights: ['1', 'x'] })).toEqual([
      '--loss-weights  loss_weights.1: expected a number of at least 0, found "x"',
    ])
  })

  test.each([
    ['num_train_epochs: 2', { maxSteps: '100' }],
    ['warmup_ratio: 0.1', { warmupSteps: '5' }],
    ['dev_fraction: 0.2', { evalDataset: ['dev.jsonl'] }],
    ['method: clha\nmargin: 2', { method: 'sft' }],
    ['temperature: 0.7\ntop_k: 5', { temperature: '0' }],
  ])('a flag that decides wins over a file with %j', (yaml, flags) => {
    const key = (/\w+(?=: \S+$)/.exec(yaml) ?? [])[0] as 'margin'
    expect(parseConfig('my.yaml', yaml).origin[key]).toBe('file')
    expect(complaints(yaml, flags)).toEqual([])
    expect(parseConfig('my.yaml', yaml, flags).origin[key]).not.toBe('file')
  })

  test('what a file leaves without effect is refused under any flags, and so are idle flags', () => {
    expect(complaints('max_steps: 5\nnum_train_epochs: 2', { maxSteps: '100' })).toEqual([
      'my.yaml:2:1  num_train_epochs has no effect: max_steps decides when training ends',
    ])
    expect(complaints('max_steps: 5', { numTrainEpochs: '2' })).toEqual([
      '--num-train-epochs  num_train_epochs has no effect: max_steps decides when training ends',
    ])
  })

  test('one value stands for a list of one', () => {
    const { options } = parseConfig('my.yaml', 'train_dataset: a.jsonl\nreport_to: none\n')
    expect([options.trainDataset, options.reportTo]).toEqual([['a.jsonl'], ['none']])
  })

  test('an empty value unsets what may be unset, in the file and by a flag', () => {
    expect(parseConfig('my.yaml', 'max_steps:\n').values.max_steps).toBeUndefined()
    expect(parseConfig('my.yaml', 'max_steps: 5\n', { maxSteps: 'null' }).values.max_steps).toBeUndefined()
  })

  test('resume_from_checkpoint is a folder or a switch', () => {
    const of = (text: string) =>
      parseConfig('my.yaml', '', { resumeFromCheckpoint: text }).options.resumeFromCheckpoint
    expect([of('true'), of('runs/a')]).toEqual([true, 'runs/a'])
  })

  test('an empty config is all defaults', () => {
    const { options } = parseConfig('my.yaml', '# nothing\n')
    expect(options).toMatchObject({
      maxLength: 512,
      maxPromptLength: 384,
      maxTokensPerBatch: 2048,
      minConfidence: 0.6,
    })
  })
})

test.each([
  ['loss_type: simpo', 'found "simpo". It is a method: method: simpo'],
  ['method: ipo', 'found "ipo". It is a loss of dpo: method: dpo, loss_type: ipo'],
  ['method: alphapo', 'found "alphapo". It is a loss of cpo: method: cpo, loss_type: alphapo'],
  ['method: dppo', 'found "dppo". Did you mean "dpo"?'],
])('%s: what other tools call a loss or a method is named as it is here', (yaml, end) => {
  expect(complaints(yaml)[0].endsWith(end)).toBe(true)
})
