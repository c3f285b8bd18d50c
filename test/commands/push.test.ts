// `clha push`: which files go, what the card says, what is refused; against a hub in the test.
import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type PushSettings, push } from '../../src/commands/push/push.js'
import type { ClhaError } from '../../src/errors.js'
import type { HubSettings } from '../../src/hub/settings.js'
import { RUN_FORMAT } from '../../src/runs/run-manifest.js'
import { createUi } from '../../src/terminal/ui.js'
import { temporaryFolder } from '../helpers/folders.js'
import { Sink } from '../helpers/sink.js'
import { testAccess } from '../hub/access.js'
import { startHub } from '../hub/hub-server.js'

const weights = Buffer.alloc(5000, 'w')

/** A run folder with one model in it, as `clha train` leaves it, and files that are nobody's business. */
function runFolder(): string {
  const dir = join(temporaryFolder(), 'my-run')
  const model = join(dir, 'model')
  fs.mkdirSync(model, { recursive: true })
  const config = { architectures: ['LlamaForCausalLM'], model_type: 'llama' }
  const files: Record<string, string | Buffer> = {
    'config.json': JSON.stringify(config),
    'model.safetensors': weights,
    'tokenizer.json': '{}',
    'optimizer.safetensors': 'moments',
    'rng_state.safetensors': 'generators',
    'training_state.json': '{}',
    'trainer_state.json': '{}',
    'train.jsonl': '{"secret": "row"}',
    token: 'hf_kept',
  }
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(join(model, name), content)
  const manifest = {
    format: RUN_FORMAT,
    kind: 'clha',
    status: 'done',
    started: '',
    updated: '',
    resumed: 0,
    pid: 1,
    config: {
      model_name_or_path: 'org/base',
      method: 'clha',
      margin: 1,
      learning_rate: 1e-6,
      max_length: 512,
      output_dir: '/secret/place',
      train_dataset: ['/secret/pairs.jsonl'],
    },
    data: [
      { path: '/secret/pairs.jsonl', sha256: 'ab'.repeat(32), rows: 12 },
      { path: 'org/prefs@0123456789ab:train.jsonl', sha256: 'cd'.repeat(32), rows: 3 },
    ],
    hub: [
      { kind: 'model', name: 'org/base', commit: 'f'.repeat(40) },
      { kind: 'dataset', name: 'org/prefs', commit: 'e'.repeat(40) },
    ],
    versions: { clha: '0.1.0', libtorch: '2.13.0' },
    hardware: {},
  }
  fs.writeFileSync(join(dir, 'run.json'), JSON.stringify(manifest))
  const interval = [0.5, 1.5]
  const row = (system: string, value: number) => ({
    system,
    decoding: 'greedy',
    source: 'total',
    prompts: 10,
    secondReward: { value, interval },
  })
  const evaluation = { baseline: '/secret/start', rows: [row('/secret/start', 0), row('clha', 1)] }
  fs.writeFileSync(join(dir, 'report.json'), JSON.stringify({ title: 'x', evaluation }))
  return dir
}

async function pushed(given: Partial<PushSettings>, settings: HubSettings) {
  const dir = given.from === undefined ? join(runFolder(), 'model') : given.from
  const stream = new Sink()
  const result = await push({ to: 'me/mine', ...given, from: dir }, createUi({ stream }), settings)
  return { dir, said: stream.text, result }
}

const failed = async (given: Partial<PushSettings>, settings: HubSettings): Promise<ClhaError> => {
  const outcome = await pushed(given, settings).catch((error: unknown) => error)
  expect(outcome).toHaveProperty('exitCode')
  return outcome as ClhaError
}

test('model files and a card go, and nothing else; the token goes to the hub alone', async () => {
  const hub = await startHub({})
  const { settings } = testAccess(hub.endpoint, { token: 'hf_right' })
  const { result } = await pushed({ private: true, license: 'apache-2.0' }, settings)
  expect(hub.created).toEqual([
    expect.objectContaining({ name: 'mine', organization: 'me', visibility: 'private' }),
  ])
  const files = hub.pushed['me/mine@main']
  expect(Object.keys(files).sort()).toEqual([
    'README.md',
    'config.json',
    'model.safetensors',
    'tokenizer.json',
  ])
  expect(files['model.safetensors'].equals(weights)).toBe(true)
  expect(result.url).toBe(`${hub.endpoint}/me/mine`)
  const tokens = (host: string) =>
    new Set(hub.seen.filter((s) => s.host === host).map((s) => s.authorization))
  expect([tokens('hub'), tokens('cdn')]).toEqual([new Set(['Bearer hf_right']), new Set([undefined])])
})

test('the card says from what, on what, how and how well, and names no folder of this disk', async () => {
  const hub = await startHub({})
  const { settings } = testAccess(hub.endpoint, { token: 'hf_right' })
  await pushed({ license: 'mit' }, settings)
  const card = String(hub.pushed['me/mine@main']['README.md'])
  expect(card).toMatch(
    /^---\nlicense: mit\nlibrary_name: transformers\npipeline_tag: text-generation\nbase_model: org\/base\n/,
  )
  expect(card).toContain('datasets:\n  - org/prefs\n')
  expect(card).toContain(`\`org/base\` at commit \`${'f'.repeat(40)}\``)
  expect(card).toContain(`| pairs.jsonl | 12 | ${'ab'.repeat(32)} |`)
  expect(card).toContain(`| org/prefs@0123456789ab:train.jsonl | 3 | ${'cd'.repeat(32)} |`)
  expect(card).toContain('| `learning_rate` | 0.000001 |')
  expect(card).toMatch(/## Evaluation\n\n\| system \|/)
  expect(card).not.toContain('secret')
})

test('the card knows a reward model by its family, and an adapter by itself, whose base is elsewhere', async () => {
  const hub = await startHub({})
  const { settings } = testAccess(hub.endpoint, { token: 'hf_right' })
  const tagOf = async (name: string, config: object) => {
    const from = temporaryFolder()
    fs.writeFileSync(join(from, name), JSON.stringify(config))
    const file = name === 'config.json' ? 'model.safetensors' : 'adapter_model.safetensors'
    fs.writeFileSync(join(from, file), weights)
    await pushed({ from, revision: 'x' }, settings)
    return /pipeline_tag: (.*)/.exec(String(hub.pushed['me/mine@x']['README.md']))?.[1]
  }
  expect(
    await tagOf('config.json', {
      model_type: 'gpt_neox_reward_model',
      architectures: ['GPTNeoXRewardModel'],
    }),
  ).toBe('text-classification')
  const adapter = { peft_type: 'LORA', base_model_name_or_path: '/not/here', target_modules: ['q_proj'] }
  expect(await tagOf('adapter_config.json', { ...adapter, task_type: 'SEQ_CLS' })).toBe('text-classification')
  expect(await tagOf('adapter_config.json', { ...adapter, task_type: 'CAUSAL_LM' })).toBe('text-generation')
})

test('the card of an adapter names the library that loads it, and its base by the name on the hub', async () => {
  const { settings } = testAccess('http://127.0.0.1:1')
  const cardOf = async (base: string, beside: Record<string, string> = {}) => {
    const from = temporaryFolder()
    const config = { peft_type: 'LORA', task_type: 'CAUSAL_LM', base_model_name_or_path: base }
    const files = {
      'adapter_config.json': JSON.stringify(config),
      'adapter_model.safetensors': 'w',
      ...beside,
    }
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(join(from, name), text)
    const { result } = await pushed({ from, dryRun: true }, settings)
    return fs.readFileSync(result.card as string, 'utf8')
  }
  expect(await cardOf('org/start')).toContain(
    'library_name: peft\npipeline_tag: text-generation\nbase_model: org/start\n',
  )
  const unknown = await cardOf('/secret/start')
  expect(unknown).toContain('library_name: peft\n')
  expect(unknown).not.toMatch(/base_model|secret/)
  const whole = {
    'config.json': JSON.stringify({ architectures: ['LlamaForCausalLM'], model_type: 'llama' }),
    'model.safetensors': 'w',
  }
  expect(await cardOf('org/start', whole)).toContain('library_name: transformers\n')
})

test('a dry run sends nothing, lists the files and writes the card, which may then be one of your own', async () => {
  const hub = await startHub({})
  const { settings } = testAccess(hub.endpoint)
  const { dir, said, result } = await pushed({ dryRun: true }, settings)
  expect(hub.seen).toEqual([])
  expect(said).toMatch(/model\.safetensors {2}5\.0 kB/)
  expect(said).toMatch(/states no license/)
  expect(result.card).toBe(join(dir, '..', 'model-card.md'))
  fs.writeFileSync(result.card as string, '---\nlicense: mit\n---\nmine')
  await pushed({ from: dir, card: result.card }, { ...settings, token: 'hf_right' })
  expect(String(hub.pushed['me/mine@main']['README.md'])).toBe('---\nlicense: mit\n---\nmine')
})

test('a second dry run leaves a card that was changed', async () => {
  const { settings } = testAccess('http://127.0.0.1:1')
  const { dir, result } = await pushed({ dryRun: true }, settings)
  const made = fs.readFileSync(result.card as string, 'utf8')
  const again = await pushed({ from: dir, dryRun: true }, settings)
  expect(again.said).not.toContain('is kept')
  fs.writeFileSync(result.card as string, `${made}mine`)
  const later = await pushed({ from: dir, dryRun: true }, settings)
  expect(fs.readFileSync(result.card as string, 'utf8')).toBe(`${made}mine`)
  expect(later.said).toContain('model-card.md is there and says something else: it is kept')
})

test('a card that is not there is refused', async () => {
  const { settings } = testAccess('http://127.0.0.1:1')
  for (const card of ['none.md', temporaryFolder()]) {
    const { exitCode, message } = await failed({ card, dryRun: true }, settings)
    expect([exitCode, message]).toEqual([2, `--card ${card}: no such file`])
  }
})

test('a repository that is there is used, and a branch is made', async () => {
  const hub = await startHub({ 'me/mine': { files: {} } })
  await pushed({ revision: 'step-100' }, testAccess(hub.endpoint, { token: 'hf_right' }).settings)
  expect(hub.created).toEqual([{ branch: 'step-100' }])
  expect(Object.keys(hub.pushed)).toEqual(['me/mine@step-100'])
})

test('refused: no token, a wrong one, no hub, a name that is none, --private on a public repository', async () => {
  const hub = await startHub({ 'me/mine': { files: {} } })
  const { settings } = testAccess(hub.endpoint)
  expect((await failed({}, settings)).message).toBe('me/mine: pushing needs an access token')
  expect((await failed({}, { ...settings, token: 'hf_wrong' })).message).toMatch(
    /does not know the access token/,
  )
  expect((await failed({}, { ...settings, token: 'hf_right', offline: true })).message).toMatch(
    /HF_HUB_OFFLINE/,
  )
  expect((await failed({ to: 'mine' }, settings)).message).toMatch(/mine: not the address of a model/)
  const open = await failed({ private: true }, { ...settings, token: 'hf_right' })
  expect(open.message).toMatch(/is public already/)
  expect(hub.pushed).toEqual({})
})
