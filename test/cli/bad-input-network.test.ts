/** Names on the hub and reward servers that are wrong, away, or answer with something else. */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { startHub } from '../hub/hub-server.js'
import { fakeServer } from '../reward/fake-server.js'
import { badInputFolder, lines, put, refused } from './bad-input-helpers.js'

const files = badInputFolder()

const generate = (model: string, ...flags: string[]) => [
  ...['generate', '--model-name-or-path', model, '--prompt', 'hi', '--max-new-tokens', '2', '--threads', '1'],
  ...['--output-file', '$out/answers.jsonl', ...flags],
]
const train = (data: string) => [
  ...['train', '--method', 'sft', '--model-name-or-path', files.model, '--train-dataset', data],
  ...['--max-steps', '1', '--threads', '1', '--output-dir', '$out'],
]

beforeEach(() => {
  vi.stubEnv('HF_HOME', join(files.dir, 'hf'))
  vi.stubEnv('HF_HUB_OFFLINE', '1')
})
afterEach(() => vi.unstubAllEnvs())

/** From here on the names are those of this hub. */
function use(endpoint: string): void {
  vi.stubEnv('HF_HUB_OFFLINE', '')
  vi.stubEnv('HF_ENDPOINT', endpoint)
}

describe('a name on the hub', () => {
  test('without network, not in the cache', () =>
    refused(files, generate('org/model'), [
      /org\/model: no such path here and not in the cache .*HF_HUB_OFFLINE is set\n.*fetch it once/,
    ]))

  test('and an address of the hub that is none', async () => {
    use('hub')
    await refused(files, generate('org/model'), [/HF_ENDPOINT: hub is not an address\n.*such as https/])
  })

  test.each<[string, string, RegExp]>([
    ['that nobody has', 'org/none', /org\/none: .*no such model on http.*\n.*HF_TOKEN/],
    [
      'of weights as a pickle',
      'org/pickled',
      /org\/pickled: .*only as a pickle, pytorch_model\.bin\n.*safetensors/,
    ],
    ['without a tokenizer', 'org/bare', /tokenizer\.json/],
    [
      'with a revision that is not there',
      'org/bare@v9',
      /org\/bare@v9: has no revision "v9"\n.*branches and tags/,
    ],
    ['that is private', 'org/private', /org\/private: .*\n.*HF_TOKEN/],
    [
      'of files outside of their folder',
      'org/hostile',
      /org\/hostile: .*leads out of its folder\n.*do not use/,
    ],
  ])('%s', async (_, name, message) => {
    const weights = Buffer.from('not looked at')
    const hub = await startHub({
      'org/pickled': { files: { 'config.json': '{}', 'tokenizer.json': '{}', 'pytorch_model.bin': weights } },
      'org/bare': { files: { 'config.json': '{}', 'model.safetensors': weights } },
      'org/private': { files: { 'config.json': '{}' }, private: true },
      'org/hostile': { files: { 'config.json': '{}' }, listed: ['config.json', '../../outside.json'] },
    })
    use(hub.endpoint)
    await refused(files, generate(name), [message])
  })

  test.each<[string, string, RegExp]>([
    ['without data files', 'org/readme', /org\/readme: .*\n.*README\.md/],
    [
      'of a file that it lacks',
      'org/data:test.jsonl',
      /org\/data:test\.jsonl: has no such file\n.*train\.jsonl/,
    ],
    ['of a script', 'org/script', /org\/script: .*\n.*script\.py/],
  ])('of data, %s', async (_, name, message) => {
    const hub = await startHub({
      'datasets/org/readme': { files: { 'README.md': '# nothing' } },
      'datasets/org/data': { files: { 'train.jsonl': '{}\n' } },
      'datasets/org/script': { files: { 'script.py': 'import os' } },
    })
    use(hub.endpoint)
    await refused(files, train(name), [message])
  })

  test('whose bytes are wrong twice leaves nothing in the cache', async () => {
    const hub = await startHub({
      'org/wrong': {
        files: {
          'config.json': '{"model_type":"llama"}',
          'tokenizer.json': '{}',
          'model.safetensors': Buffer.alloc(64),
        },
      },
    })
    hub.faults.corrupt = 9
    use(hub.endpoint)
    await refused(
      files,
      generate('org/wrong'),
      [/model\.safetensors: wrong bytes: hash .*\n.*HF_ENDPOINT/],
      4,
    )
    const blobs = join(files.dir, 'hf', 'hub', 'models--org--wrong', 'blobs')
    expect(existsSync(blobs) ? readdirSync(blobs).filter((name) => /^[0-9a-f]{64}$/.test(name)) : []).toEqual(
      [],
    )
  })
})

describe('a reward server', () => {
  const pair = { prompt: 'q', chosen: 'good', rejected: 'bad' }
  const rescore = (url: string, ...flags: string[]) => [
    ...[
      'rescore',
      put(files, 'unscored.jsonl', lines(pair)),
      '--reward-endpoint',
      url,
      '--label-error',
      '0.25',
    ],
    ...[
      '--reward-temperature',
      '1',
      '--threads',
      '1',
      '--output-dir',
      '$out',
      '--reward-endpoint-retries',
      '0',
    ],
    // Scores that came back are kept there.
    ...['--score-cache-dir', join(files.dir, 'scores')],
    ...flags,
  ]

  test('with an address that is none', () =>
    refused(files, rescore('localhost'), [/reward_endpoint: not an http.*\n.*such as http/]))

  test('that is not there', () =>
    refused(
      files,
      rescore('http://127.0.0.1:9/score'),
      [/unscored\.jsonl:1: reward endpoint .*the connection failed.*\n.*run the same command again/],
      4,
    ))

  test('that does not tell what it speaks', () =>
    refused(files, rescore('http://127.0.0.1:9/api'), [/from the path "\/api"\n.*reward_endpoint_type/]))

  test('that judges without a model named', () =>
    refused(files, rescore('http://127.0.0.1:9/v1/chat/completions'), [
      /reward_endpoint_model is missing\n.*name the chat model/,
    ]))

  test('whose token is in no variable', () =>
    refused(files, rescore('http://127.0.0.1:9/score', '--reward-endpoint-token-env', 'NO_TOKEN'), [
      /the environment has no NO_TOKEN\n.*export NO_TOKEN/,
    ]))

  test.each<[string, unknown, RegExp, number]>([
    [
      'something else',
      { message: 'hello' },
      /unscored\.jsonl:1: .*unexpected answer: data: .*\n.*reward_endpoint_type/,
      2,
    ],
    ['too few numbers', { data: [] }, /0 rewards came back for 2 answers\n.*reward_endpoint_type/, 2],
    [
      'a number that is none',
      { data: [{ index: 0, score: 'high' }] },
      /data\.0\.score: .*expected number/,
      2,
    ],
  ])('that answers with %s', async (_, body, message, code) => {
    const { url } = await fakeServer(() => body)
    await refused(files, rescore(`${url}/score`), [message], code)
  })

  test.each<[string, number, RegExp, number]>([
    ['does not know the token', 401, /HTTP 401: no\n/, 2],
    ['has no such path', 404, /HTTP 404: no\n.*reward_endpoint/, 2],
    ['breaks', 500, /HTTP 500: no\n.*run the same command again/, 4],
  ])('that %s', async (_, status, message, code) => {
    const { url } = await fakeServer((_asked, response) => {
      response.statusCode = status
      return { error: 'no' }
    })
    await refused(files, rescore(`${url}/score`), [message], code)
  })
})
