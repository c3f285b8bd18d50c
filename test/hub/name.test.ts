// Which texts are names on the hub, what they say, and where things are by the environment.
import * as fs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { hubLabel } from '../../src/hub/cache.js'
import { matching } from '../../src/hub/glob.js'
import { hubName } from '../../src/hub/name.js'
import { hubSettings } from '../../src/hub/settings.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'

describe('a name on the hub', () => {
  test.each([
    ['org/name', { repo: 'org/name' }],
    ['Qwen/Qwen2.5-0.5B', { repo: 'Qwen/Qwen2.5-0.5B' }],
    ['org/name@v1.0', { repo: 'org/name', revision: 'v1.0' }],
    ['org/name@refs/pr/1', { repo: 'org/name', revision: 'refs/pr/1' }],
    ['org/name:data/train-*.parquet', { repo: 'org/name', path: 'data/train-*.parquet' }],
    ['org/name@v1:a.jsonl', { repo: 'org/name', revision: 'v1', path: 'a.jsonl' }],
    ['hf://datasets/org/name/a/b.jsonl', { repo: 'org/name', path: 'a/b.jsonl' }],
    [
      'hf://datasets/org/name@refs%2Fpr%2F1/a.jsonl',
      { repo: 'org/name', revision: 'refs/pr/1', path: 'a.jsonl' },
    ],
  ])('%s', (text, parts) => {
    expect(hubName(text, 'dataset')).toEqual({ kind: 'dataset', ...parts })
  })

  test.each([
    'name',
    'a/b/c',
    './org/name',
    '../org/name',
    '/org/name',
    'org/',
    'org/.name',
    'org/na--me',
    'org/name.git',
    'org/na me',
    'data/pairs.jsonl',
    'models/weights.safetensors',
    'https://host/model',
    'org/name@../x',
    'C:\\models\\x',
  ])('is not %j', (text) => {
    expect(hubName(text, 'dataset')).toBeUndefined()
  })

  test('is not what lies on this disk, and a model has no path in it', () => {
    const dir = temporaryFolder()
    const before = process.cwd()
    process.chdir(dir)
    fs.mkdirSync('org/name', { recursive: true })
    const found = hubName('org/name', 'model')
    process.chdir(before)
    expect(found).toBeUndefined()
    expect(hubName('org/name:x.json', 'model')).toBeUndefined()
  })

  test('as an address that cannot be read is an error with the form', () => {
    const { message, hint } = thrown(() => hubName('hf://datasets/org', 'dataset'))
    expect([message, hint]).toEqual([
      'hf://datasets/org: not the address of a dataset on the hub',
      'the form is hf://datasets/org/name/path/to/file.jsonl',
    ])
  })
})

test('places and the token come from the variables of huggingface_hub', () => {
  const home = temporaryFolder()
  fs.writeFileSync(join(home, 'token'), 'hf_kept\n')
  expect(hubSettings({ HF_HOME: home })).toMatchObject({
    endpoint: 'https://huggingface.co',
    token: 'hf_kept',
    cacheDir: join(home, 'hub'),
    offline: false,
  })
  const env = {
    HF_HOME: home,
    HF_HUB_CACHE: '/c',
    HF_TOKEN: 'hf_env',
    HF_ENDPOINT: 'http://mirror:1/',
    HF_HUB_OFFLINE: 'YES',
  }
  expect(hubSettings(env)).toMatchObject({
    endpoint: 'http://mirror:1',
    token: 'hf_env',
    cacheDir: '/c',
    offline: true,
  })
  // Unlike a shell, files that set variables leave these as they are; huggingface_hub does not.
  expect(hubSettings({ HF_HOME: '~/models' }).cacheDir).toBe(join(homedir(), 'models', 'hub'))
  // biome-ignore lint/suspicious/noTemplateCurlyInString: as huggingface_hub reads it
  const named = { HF_HUB_CACHE: '${DISK}/$USER/none-$NONE', DISK: '/d', USER: 'me' }
  expect(hubSettings(named).cacheDir).toBe('/d/me/none-$NONE')
  expect(hubSettings({ HF_TOKEN_PATH: '$PLACE/token', PLACE: home }).token).toBe('hf_kept')
  expect(hubSettings({ XDG_CACHE_HOME: '/x' }).cacheDir).toBe('/x/huggingface/hub')
  expect(hubSettings({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeUndefined()
  expect(thrown(() => hubSettings({ HF_ENDPOINT: 'mirror' })).message).toMatch(/^HF_ENDPOINT: mirror/)
})

test('a file of the cache is shown by its name on the hub', () => {
  const commit = '0123456789abcdef0123456789abcdef01234567'
  expect(hubLabel(`/cache/models--org--a-b--c/snapshots/${commit}`)).toBe('org/a-b--c@0123456789ab')
  expect(hubLabel(`/c/datasets--org--n/snapshots/${commit}/data/x.jsonl`)).toBe(
    'org/n@0123456789ab:data/x.jsonl',
  )
  expect(hubLabel('runs/my')).toBe('runs/my')
})

test.each([
  ['data/*.jsonl', ['data/a.jsonl', 'data/b.jsonl']],
  ['**/*.jsonl', ['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl', 'top.jsonl']],
  ['data/**', ['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl']],
  ['data', ['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl']],
  ['data/{a,x}.jsonl', ['data/a.jsonl']],
  ['data/?.jsonl', ['data/a.jsonl', 'data/b.jsonl']],
  ['top.jsonl', ['top.jsonl']],
  ['data/a+jsonl', []],
  ['data/[ab].jsonl', ['data/a.jsonl', 'data/b.jsonl']],
  ['data/[!a].jsonl', ['data/b.jsonl']],
  ['data/**/*.jsonl', ['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl']],
  ['{data/{a,b},top}.jsonl', ['data/a.jsonl', 'data/b.jsonl', 'top.jsonl']],
  ['data/{a', []],
  ['data/[a', []],
  [`${'{a,b}'.repeat(30)}`, []],
  [`${'*a'.repeat(400)}`, []],
])('the pattern %s means %j', (pattern, expected) => {
  expect(matching(['data/a.jsonl', 'data/b.jsonl', 'data/deep/c.jsonl', 'top.jsonl'], pattern)).toEqual(
    expected,
  )
})

test('a pattern with many stars takes the length of the name times its own', () => {
  expect(matching(['a'.repeat(5000)], `${'*a'.repeat(40)}*b`)).toEqual([])
  expect(matching([`${'a'.repeat(5000)}b`], `${'*a'.repeat(40)}*b`)).toHaveLength(1)
})
