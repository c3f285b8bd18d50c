// Fetching from a hub: what is fetched, resumed, checked, refused, kept; against a server in the test.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ClhaError } from '../../src/errors.js'
import { selectModel } from '../../src/hub/model-files.js'
import type { HubName } from '../../src/hub/name.js'
import { fetchSnapshot, type HubAccess } from '../../src/hub/snapshot.js'
import { testAccess } from './access.js'
import { COMMIT, type FakeRepo, gitSha1, sha256, startHub } from './hub-server.js'

const weights = Buffer.alloc(300_000, 'weights of a model ')
const files = {
  'config.json': '{"model_type": "llama"}',
  'model.safetensors': weights,
  'tokenizer.json': '{}',
  'README.md': '# a card',
  'pytorch_model.bin': 'a pickle',
  'sub/config.json': '{}',
}
const NAME: HubName = { kind: 'model', repo: 'org/tiny' }
const model = (repo: FakeRepo = { files }) => startHub({ 'org/tiny': repo })
const fetched = (access: HubAccess, name = NAME) => fetchSnapshot(name, selectModel(name.repo), access)

/** The error that ends it. */
async function failure(access: HubAccess, name = NAME): Promise<ClhaError> {
  const outcome = await fetched(access, name).then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(outcome).toHaveProperty('exitCode')
  return outcome as ClhaError
}

describe('the cache', () => {
  test('holds what is needed in the layout of huggingface_hub: blobs by hash, relative links, the ref', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint)
    const { folder, commit, files: chosen } = await fetched(access)
    const repo = join(access.settings.cacheDir, 'models--org--tiny')
    expect(commit).toBe(COMMIT)
    expect(folder).toBe(join(repo, 'snapshots', COMMIT))
    expect(chosen.sort()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json'])
    expect(fs.readdirSync(folder).sort()).toEqual(chosen)
    expect(fs.readlinkSync(join(folder, 'model.safetensors'))).toBe(`../../blobs/${sha256(weights)}`)
    expect(fs.readlinkSync(join(folder, 'config.json'))).toBe(
      `../../blobs/${gitSha1(Buffer.from(files['config.json']))}`,
    )
    expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
    expect(fs.readFileSync(join(repo, 'refs', 'main'), 'utf8')).toBe(COMMIT)
    expect(fs.readdirSync(join(repo, 'blobs')).filter((name) => name.endsWith('.incomplete'))).toEqual([])
  })

  test('is not fetched again, and a file that another tool put there is used', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint)
    const blobs = join(access.settings.cacheDir, 'models--org--tiny', 'blobs')
    fs.mkdirSync(blobs, { recursive: true })
    fs.writeFileSync(join(blobs, sha256(weights)), weights)
    await fetched(access)
    expect(hub.seen.filter(({ host }) => host === 'cdn')).toEqual([])
    hub.seen.length = 0
    await fetched(access)
    expect(hub.seen.filter(({ path }) => path.includes('/resolve/'))).toEqual([])
    expect(access.bars).toEqual([files['config.json'].length + files['tokenizer.json'].length])
  })

  test('is enough offline; what is not in it is an error that says so', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint)
    const { folder } = await fetched(access)
    hub.seen.length = 0
    const offline = testAccess(hub.endpoint, { offline: true, cacheDir: access.settings.cacheDir })
    expect((await fetched(offline)).folder).toBe(folder)
    expect((await fetched(offline, { ...NAME, revision: 'aaaaaaaa' })).commit).toBe(COMMIT)
    const other = await failure(offline, { kind: 'model', repo: 'org/other' })
    expect(other.message).toMatch(
      /org\/other: no such path here and not in the cache .*HF_HUB_OFFLINE is set/,
    )
    fs.rmSync(join(folder, 'model.safetensors'))
    expect((await failure(offline)).message).toMatch(/not wholly in the cache/)
    expect(hub.seen).toEqual([])
  })

  test('is used when the hub does not answer, with a word about it', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint)
    await fetched(access)
    const gone = testAccess('http://127.0.0.1:9', { cacheDir: access.settings.cacheDir, tries: 2 })
    expect((await fetched(gone)).commit).toBe(COMMIT)
    expect(gone.warned[0]).toMatch(/does not answer.*commit aaaaaaaaaaaa in the cache is used/)
    const nothing = await failure(testAccess('http://127.0.0.1:9', { tries: 2 }))
    expect([nothing.exitCode, nothing.hint]).toEqual([4, expect.stringContaining('HF_ENDPOINT')])
  })
})

describe('a stream that is cut', () => {
  test('goes on where it stopped, as often as needed', async () => {
    const hub = await model()
    hub.faults.cut = [100_000, 50_000, 1, 2, 3, 4, 5, 6]
    const { folder } = await fetched(testAccess(hub.endpoint))
    expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
    const ranges = hub.seen.filter(({ host }) => host === 'cdn').map(({ range }) => range)
    expect(ranges.slice(0, 3)).toEqual([undefined, 'bytes=100000-', 'bytes=150000-'])
  })

  test('of another process, or of an earlier call, goes on too', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint)
    const blobs = join(access.settings.cacheDir, 'models--org--tiny', 'blobs')
    fs.mkdirSync(blobs, { recursive: true })
    fs.writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), weights.subarray(0, 200_000))
    await fetched(access)
    expect(hub.seen.find(({ host }) => host === 'cdn')?.range).toBe('bytes=200000-')
  })

  test('begins anew where the server gives whole files only', async () => {
    const hub = await model()
    hub.faults = { cut: [100_000], noRange: true }
    const { folder } = await fetched(testAccess(hub.endpoint))
    expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
  })

  test('that never comes further ends in an error that keeps what came', async () => {
    const hub = await model()
    hub.faults.cut = [100_000, 0, 0, 0, 0, 0, 0, 0]
    const access = testAccess(hub.endpoint)
    const { message, exitCode } = await failure(access)
    expect([exitCode, message]).toEqual([4, expect.stringContaining('org/tiny: model.safetensors')])
    const blobs = join(access.settings.cacheDir, 'models--org--tiny', 'blobs')
    expect(fs.statSync(join(blobs, `${sha256(weights)}.incomplete`)).size).toBe(100_000)
  })
})

describe('wrong bytes', () => {
  test('once are fetched again', async () => {
    const hub = await model()
    hub.faults.corrupt = 1
    const { folder } = await fetched(testAccess(hub.endpoint))
    expect(fs.readFileSync(join(folder, 'model.safetensors')).equals(weights)).toBe(true)
  })

  test('twice are refused; nothing of them stays', async () => {
    const hub = await model()
    hub.faults.corrupt = 2
    const access = testAccess(hub.endpoint)
    const { message, exitCode } = await failure(access)
    expect([exitCode, message]).toEqual([4, expect.stringContaining('model.safetensors: wrong bytes')])
    const left = fs.readdirSync(join(access.settings.cacheDir, 'models--org--tiny', 'blobs'))
    expect(left.filter((name) => name.startsWith(sha256(weights)))).toEqual([])
  })
})

describe('the token', () => {
  test('goes to the hub and to no other host', async () => {
    const hub = await model({ files, private: true })
    await fetched(testAccess(hub.endpoint, { token: 'hf_right' }))
    const sent = (host: string) =>
      new Set(hub.seen.filter((s) => s.host === host).map((s) => s.authorization))
    expect(sent('hub')).toEqual(new Set(['Bearer hf_right']))
    expect(sent('cdn')).toEqual(new Set([undefined]))
  })

  test('stands in no message', async () => {
    const hub = await model()
    const { message, hint } = await failure(testAccess(hub.endpoint, { token: 'hf_wrong' }))
    expect(message).toMatch(/does not know the access token/)
    expect(message + hint).not.toContain('hf_wrong')
  })
})

describe('refusals say what to do', () => {
  test('no such name, or a private one', async () => {
    const hub = await model()
    const error = await failure(testAccess(hub.endpoint), { kind: 'model', repo: 'org/typo' })
    expect(error.exitCode).toBe(2)
    expect(error.message).toMatch(/^org\/typo: no such path here, and no such model on http/)
    expect(error.hint).toMatch(/HF_TOKEN/)
  })

  test('a gated model, without and with a token', async () => {
    const hub = await model({ files, gated: true })
    const without = await failure(testAccess(hub.endpoint))
    expect([without.message, without.hint]).toEqual([
      'org/tiny: this model is gated',
      expect.stringMatching(new RegExp(`accept its conditions at ${hub.endpoint}/org/tiny, then .*HF_TOKEN`)),
    ])
    const other = await failure(testAccess(hub.endpoint, { token: 'hf_right' }))
    expect(other.hint).toMatch(/with the account that the token belongs to/)
  })

  test('a revision that is not there', async () => {
    const hub = await model()
    const { message } = await failure(testAccess(hub.endpoint), { ...NAME, revision: 'v9' })
    expect(message).toBe('org/tiny@v9: has no revision "v9"')
  })

  test('weights as a pickle only, with the way to convert them', async () => {
    const { 'model.safetensors': _, ...rest } = files
    const hub = await model({ files: rest })
    const { message, hint } = await failure(testAccess(hub.endpoint))
    expect(message).toBe('org/tiny: the weights are there only as a pickle, pytorch_model.bin')
    expect(hint).toMatch(/safetensors.torch/)
    expect(hub.seen.some(({ path }) => path.includes('pytorch_model'))).toBe(false)
  })

  test.each(['../evil.json', 'a/../../evil', '/etc/x', 'C:/x', 'a\\b', 'a//b', './a', 'x\u0000y'])(
    'a file named %j, which leads out of its folder',
    async (name) => {
      const hub = await model({ files, listed: [name] })
      const access = testAccess(hub.endpoint)
      expect((await failure(access)).message).toMatch(/leads out of its folder/)
      expect(fs.existsSync(access.settings.cacheDir)).toBe(false)
    },
  )
})

describe('a hub in trouble', () => {
  test('is asked again after 429, 500 and 503', async () => {
    const hub = await model()
    hub.faults.status = [429, 500, 503]
    expect((await fetched(testAccess(hub.endpoint))).commit).toBe(COMMIT)
  })

  test.each([
    [429, /too many requests/],
    [500, /answered 500/],
  ])('that stays at %i ends in exit 4', async (status, text) => {
    const hub = await model()
    hub.faults.status = new Array<number>(20).fill(status)
    const { exitCode, message } = await failure(testAccess(hub.endpoint))
    expect([exitCode, message]).toEqual([4, expect.stringMatching(text)])
  })
})

describe('a listing', () => {
  test('that stops in its middle is asked for again', async () => {
    const hub = await model()
    hub.faults.stall = 2
    expect((await fetched(testAccess(hub.endpoint, { timeout: 150 }))).commit).toBe(COMMIT)
    expect(hub.seen.filter(({ path }) => path.includes('/tree/')).length).toBe(4)
  })

  test('that never comes whole ends in exit 4; the cache is used where it has the files', async () => {
    const hub = await model()
    const access = testAccess(hub.endpoint, { timeout: 150, tries: 2 })
    await fetched(access)
    hub.faults.stall = 100
    expect((await fetched(access)).commit).toBe(COMMIT)
    expect(access.warned[0]).toMatch(/no whole answer within 0\.15 s.*in the cache is used/)
    const { exitCode, message } = await failure(testAccess(hub.endpoint, { timeout: 150, tries: 2 }))
    expect([exitCode, message]).toEqual([
      4,
      'org/tiny: the hub does not answer: no whole answer within 0.15 s',
    ])
  })

  test.each([
    ['new', /has no end: more than 1,000 pages/],
    ['same', /has no end: a page leads back to itself/],
  ] as const)(
    'whose pages never end (%s) is refused',
    async (pages, text) => {
      const hub = await model()
      hub.faults.pages = pages
      const { exitCode, message } = await failure(testAccess(hub.endpoint))
      expect([exitCode, message]).toEqual([2, expect.stringMatching(text)])
    },
    60_000,
  )

  test('with a file and a folder of one name is refused before anything is written', async () => {
    const hub = await model({ files: { ...files, 'a/b': 'x' }, listed: ['a'] })
    const access = testAccess(hub.endpoint)
    const { exitCode, message } = await failure(access)
    expect([exitCode, message]).toEqual([2, 'org/tiny: holds "a" as a file and as a folder'])
    expect(fs.existsSync(access.settings.cacheDir)).toBe(false)
  })
})

test.each([
  ['file:///etc/hostname', /leads to a file: address/],
  ['data:text/plain,hello', /leads to a data: address/],
  ['blob:nodedata:1', /leads to a blob: address/],
  ['http://[', /leads to an address that is none/],
])('a redirect to %s is not followed, and not tried again', async (location, text) => {
  const hub = await model()
  hub.faults.location = location
  const { exitCode, message } = await failure(testAccess(hub.endpoint))
  expect([exitCode, message]).toEqual([2, expect.stringMatching(text)])
  expect(hub.seen.filter(({ path }) => path.endsWith('model.safetensors')).length).toBe(1)
})

test('two at once fetch each file one time', async () => {
  const hub = await model()
  hub.faults.delay = 100
  const access = testAccess(hub.endpoint)
  const [a, b] = await Promise.all([fetched(access), fetched(access)])
  expect(a.folder).toBe(b.folder)
  expect(hub.seen.filter(({ host }) => host === 'cdn').length).toBe(1)
  expect(fs.readFileSync(join(a.folder, 'model.safetensors')).equals(weights)).toBe(true)
})

test('a sharded model is fetched by its index; a shard that is not there is named before anything large comes', async () => {
  const index = (shards: string[]) =>
    JSON.stringify({ weight_map: Object.fromEntries(shards.map((s, i) => [`w${i}`, s])) })
  const shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors']
  const sharded = {
    'config.json': '{}',
    'model.safetensors.index.json': index(shards),
    [shards[0]]: Buffer.from('one'),
    [shards[1]]: Buffer.from('two'),
    'consolidated.safetensors': Buffer.from('the same in another layout'),
  }
  const hub = await startHub({ 'org/tiny': { files: sharded } })
  const { files: chosen } = await fetched(testAccess(hub.endpoint))
  expect(chosen).toEqual(['config.json', 'model.safetensors.index.json', ...shards])
  const { [shards[1]]: _, ...broken } = sharded
  const half = await startHub({ 'org/tiny': { files: broken } })
  expect((await failure(testAccess(half.endpoint))).message).toMatch(/lists model-00002-of-00002/)
  expect(half.seen.filter(({ host }) => host === 'cdn')).toEqual([])
})
