/** Model folders that are broken, incomplete or of the wrong kind: refused by name before anything is written. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { fileOf, MALFORMED } from '../checkpoint/safetensors-cases.js'
import { badInputFolder, call, copyOf, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const generate = (model: string) => [
  ...['generate', '--model-name-or-path', model, '--prompt', 'hi', '--max-new-tokens', '2', '--threads', '1'],
  ...['--output-file', '$out/answers.jsonl'],
]
const score = (model: string) => [
  ...['reward', 'score', files.data, '--reward-model', model, '--threads', '1'],
  ...['--output-dir', '$out', '--output-file', '$out/scores.jsonl'],
]
const train = (model: string, ...flags: string[]) => [
  ...['train', '--method', 'sft', '--model-name-or-path', model, '--train-dataset', files.data],
  ...['--max-steps', '1', '--max-length', '64', '--threads', '1', '--output-dir', '$out', ...flags],
]

let copies = 0

/** A copy of the model whose config.json has other values. */
function withConfig(changes: object): string {
  copies += 1
  const path = copyOf(files, 'model', `config-${copies}`)
  const config = JSON.parse(fs.readFileSync(join(path, 'config.json'), 'utf8')) as object
  fs.writeFileSync(join(path, 'config.json'), JSON.stringify({ ...config, ...changes }))
  return path
}

/** A copy of the model with other bytes as its weights. */
function withWeights(bytes: Uint8Array): string {
  copies += 1
  const path = copyOf(files, 'model', `weights-${copies}`)
  fs.writeFileSync(join(path, 'model.safetensors'), bytes)
  return path
}

describe('a path that is no model folder', () => {
  test('nothing there', () =>
    refused(files, generate('no/such/model'), [
      'no/such/model: no such model folder',
      'a name on the hub: org/name',
    ]))

  test('a data file', () => refused(files, generate(files.data), ['pairs.jsonl: a file, not a model folder']))

  test('a folder of something else', () =>
    refused(files, generate(join(files.dir)), ['config.json', 'Hugging Face']))

  test('a config that is cut off', async () => {
    const path = copyOf(files, 'model', 'cut-config')
    fs.writeFileSync(join(path, 'config.json'), '{"model_type": "lla')
    await refused(files, generate(path), ['cut-config/config.json: not JSON', 'fetch'])
  })
})

describe('a model of another kind', () => {
  test('a reward model does not write, talk or learn to write', async () => {
    const says = ['a reward model, not a language model', 'reward_model']
    await refused(files, generate(files.reward), says)
    await refused(files, train(files.reward), says)
    await refused(files, ['chat', '--model-name-or-path', files.reward, '--threads', '1'], says)
  })

  test('a language model does not score', () =>
    refused(files, score(files.model), ['a language model, not a reward model', 'clha reward train']))

  test('cross-fitted reward models are named one by one', async () => {
    put(files, 'folds/fold-0/run.json', '{}')
    await refused(files, score(join(files.dir, 'folds')), ['cross-fitted', /fold-0/])
  })

  test.each<[string, object, RegExp]>([
    ['family', { model_type: 'mamba' }, /config\.json: model_type "mamba" is not supported\n.*llama/],
    [
      'rope type',
      { rope_scaling: { rope_type: 'yarn', factor: 4 }, rope_parameters: null },
      /"rope_scaling.rope_type": "yarn".*\n.*"default", "linear", "llama3"/,
    ],
    ['activation', { hidden_act: 'mish' }, /"hidden_act": "mish" is not supported\n.*"silu"/],
    ['head count', { num_attention_heads: 3 }, /config\.json/],
    ['size that is a text', { hidden_size: 'large' }, /"hidden_size" must be a number/],
    ['number of labels', { architectures: ['LlamaForSequenceClassification'], num_labels: 3 }, /1 label/],
  ])('with another %s', async (_, changes, message) => {
    await refused(files, generate(withConfig(changes)), [message])
  })
})

describe('a tokenizer that does not fit', () => {
  test('has ids without an embedding', async () => {
    const path = withConfig({ vocab_size: 300 })
    const big = fs.readFileSync(join(path, 'model.safetensors'))
    expect(big.length).toBeGreaterThan(0)
    await refused(files, generate(path), [/embed|ids up to/])
  })

  test('is missing', async () => {
    const path = copyOf(files, 'model', 'no-tokenizer')
    fs.rmSync(join(path, 'tokenizer.json'))
    await refused(files, generate(path), ['no-tokenizer/tokenizer.json: no such file', 'save_pretrained'])
  })

  test('comes with a chat template that is not there', () =>
    refused(
      files,
      [...generate(files.model), '--chat-template', 'none.jinja'],
      ['none.jinja: no such file', 'hh, chatml, plain'],
    ))
})

describe('weights', () => {
  test.each(MALFORMED.map(({ name, bytes }) => [name, bytes] as const))('malformed: %s', async (_, bytes) => {
    await refused(files, generate(withWeights(bytes)), [/model\.safetensors/])
  })

  test('cut off', async () => {
    const whole = fs.readFileSync(join(files.model, 'model.safetensors'))
    await refused(files, generate(withWeights(whole.subarray(0, -100))), [/model\.safetensors.*bytes/s])
  })

  test('of other tensors', async () => {
    const bytes = fileOf('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4)
    await refused(files, generate(withWeights(bytes)), [
      'the weights lack model.embed_tokens.weight',
      'not of the same model',
    ])
  })

  test('of other shapes', () =>
    refused(files, generate(withConfig({ intermediate_size: 64 })), [/config\.json makes it \[64,16\]/]))

  test('a pickle in place of safetensors is named, with the way to convert it', async () => {
    const path = copyOf(files, 'model', 'pickled')
    fs.renameSync(join(path, 'model.safetensors'), join(path, 'pytorch_model.bin'))
    await refused(files, generate(path), ['only as a pickle, pytorch_model.bin', 'save_file', 'can run code'])
    await refused(files, generate(withWeights(Buffer.from([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0]))), [
      'a Python pickle',
      'convert',
    ])
  })

  test('with a shard missing or cut off', async () => {
    const path = copyOf(files, 'model', 'sharded')
    const shard = join(path, 'model-00001-of-00001.safetensors')
    fs.renameSync(join(path, 'model.safetensors'), shard)
    const index = {
      weight_map: {
        'model.embed_tokens.weight': 'model-00001-of-00001.safetensors',
        'model.norm.weight': 'model-00002-of-00002.safetensors',
      },
    }
    fs.writeFileSync(join(path, 'model.safetensors.index.json'), JSON.stringify(index))
    await refused(files, generate(path), [
      'model-00002-of-00002.safetensors: missing',
      'fetch the missing parts',
    ])
    fs.writeFileSync(join(path, 'model-00002-of-00002.safetensors'), fs.readFileSync(shard).subarray(0, 500))
    await refused(files, generate(path), ['model-00002-of-00002.safetensors'])
  })
})

describe('checkpoints', () => {
  test('a damaged one is not resumed from, and an older one only when the run is named', async () => {
    const { code, out } = await call(files, train(files.model))
    expect(code).toBe(0)
    const weights = join(out, 'checkpoint-1', 'model.safetensors')
    fs.truncateSync(weights, fs.statSync(weights).size - 8)
    const again = ['train', '--threads', '1', '--resume-from-checkpoint']
    await refused(
      files,
      [...again, join(out, 'checkpoint-1')],
      ['not a valid checkpoint', '--resume-from-checkpoint'],
      7,
    )
    await refused(files, [...again, out], ['no valid checkpoint', 'model.safetensors'], 7)
    await refused(files, [...again, join(out, 'checkpoint-9')], ['checkpoint-9: no checkpoint there'], 7)
  })

  test('a run without any has no model to give', async () => {
    put(files, 'empty-run/run.json', '{}')
    await refused(files, generate(join(files.dir, 'empty-run')), ['this run has no checkpoint yet'], 7)
  })
})
