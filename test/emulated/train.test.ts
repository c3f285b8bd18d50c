// Every kind of instruction that a processor lacks ends the process here, as it would on that processor.
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loggedSteps, openWorkshop, type Workshop } from '../helpers/training-process.js'
import { tempFolder } from '../text/tiny-tokenizer.js'

const QEMU = process.env.QEMU ?? 'qemu-x86_64'

let shop: Workshop
beforeAll(async () => {
  if (spawnSync(QEMU, ['--version']).status !== 0)
    throw new Error(
      `${QEMU} was not found. Debian, Ubuntu: apt install qemu-user. QEMU=/path/to/qemu-x86_64 names another`,
    )
  shop = await openWorkshop(tempFolder('emulated'))
  const config = join(shop.folder, 'train.yaml')
  const short = fs.readFileSync(config, 'utf8').replace('num_train_epochs: 2', 'max_steps: 3')
  fs.writeFileSync(config, short)
}, 120_000)
afterAll(() => shop && fs.rmSync(shop.folder, { recursive: true, force: true }))

/** A command of clha on the emulated processor, which has its exit code and its output. */
async function on(cpu: string, args: string[], variables: string[] = []): Promise<string> {
  const started = shop.start(args, ['env', ...variables, QEMU, '-cpu', cpu])
  const code = await started.ended
  return `${code}\n${started.text().replace(/^qemu.*TCG doesn't support.*\n/gm, '')}`
}

const losses = (dir: string) =>
  fs
    .readFileSync(join(dir, 'metrics.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { step: number; loss?: number })
    .flatMap(({ loss }) => (loss === undefined ? [] : [loss]))

describe.each([
  ['Haswell', 'AVX2, no AVX-512'],
  ['Westmere', 'no AVX'],
])('on %s (%s)', (cpu) => {
  const dir = () => join(shop.folder, cpu)

  test('a training saves checkpoints, a resume goes on from one, and the losses are those of this machine', async () => {
    expect(await on(cpu, shop.train(dir()))).toMatch(/^0\n/)
    fs.rmSync(join(dir(), 'checkpoint-3'), { recursive: true })
    expect(await on(cpu, shop.train(dir(), '--resume-from-checkpoint', 'true'))).toMatch(/^0\n/)
    expect(loggedSteps(dir())).toEqual([1, 2, 3])
    const here = join(shop.folder, `${cpu}-here`)
    const started = shop.start(shop.train(here))
    expect(`${await started.ended} ${started.text()}`).toMatch(/^0 /)
    for (const [i, loss] of losses(dir()).entries()) expect(loss).toBeCloseTo(losses(here)[i], 3)
  })

  test.each(['', '--dtype bfloat16', '--load-in-8bit', '--load-in-4bit'])(
    'the trained model answers %s',
    async (flag) => {
      const answer = ['--prompt', 'What is 3 and 3?', '--max-new-tokens', '8', '--threads', '1']
      const args = ['generate', '--model-name-or-path', dir(), ...answer, ...flag.split(' ').filter(Boolean)]
      expect(await on(cpu, args)).toMatch(/^0\n/)
    },
  )

  test('a level that the processor lacks is refused with its name', async () => {
    const said = await on(cpu, ['doctor'], ['CLHA_CPU_LEVEL=avx512'])
    expect(said).toMatch(
      /^2\n(?:✓ .*\n)+CLHA_CPU_LEVEL is avx512, but this processor \(.*\) has no more than (avx2|default)\n/,
    )
  })

  test('CLHA trains an adapter in mixed precision', async () => {
    const data = [
      '--train-dataset',
      join(shop.folder, 'pairs.jsonl'),
      '--max-length',
      '64',
      '--max-prompt-length',
      '48',
    ]
    const model = [
      '--model-name-or-path',
      dir(),
      '--use-peft',
      '--bf16',
      '--output-dir',
      join(shop.folder, `${cpu}-lora`),
    ]
    const steps = ['--method', 'clha', '--max-steps', '1', '--threads', '1']
    const scale = ['--reward-temperature', '1', '--label-error', '0.25']
    expect(await on(cpu, ['train', ...data, ...model, ...steps, ...scale])).toMatch(/^0\n/)
  })
})
