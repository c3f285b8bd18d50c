import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { DiskStorage } from '../../src/files/storage.js'
import { createRandom } from '../../src/random.js'
import { loggedSteps, openWorkshop, type Started, type Workshop } from '../helpers/training-process.js'
import { tempFolder } from '../text/tiny-tokenizer.js'
import { filesBelow } from '../train/tiny.js'

const KILLS = Number(process.env.CLHA_KILLS ?? 20)
const disk = new DiskStorage()
const random = createRandom('kill training')

let shop: Workshop
/** A run that nothing disturbed: its folder, and its length in steps. */
const whole = { dir: '', steps: 0 }

beforeAll(async () => {
  shop = await openWorkshop(tempFolder('train-kill'))
  whole.dir = join(shop.folder, 'whole')
  const started = shop.start(shop.train(whole.dir))
  if ((await started.ended) !== 0) throw new Error(started.text())
  whole.steps = loggedSteps(whole.dir).length
})

afterAll(() => fs.rmSync(shop.folder, { recursive: true, force: true }))

/** Resolves when the run has logged so many steps and a moment went by: how far it is, not how long it took, on any machine. */
async function afterSteps(dir: string, { child }: Started, steps: number, moment = 0): Promise<void> {
  while (loggedSteps(dir).length < steps && child.exitCode === null) await wait(2)
  await wait(random.int(moment + 1))
}

const newest = (dir: string) => newestValid(disk, dir)

/** What the finished run must share with the undisturbed one, bit for bit. */
function expectSameEnd(dir: string): void {
  for (const name of ['model.safetensors', 'optimizer.safetensors']) {
    const read = (run: string) => fs.readFileSync(join(run, `checkpoint-${whole.steps}`, name))
    expect(read(dir).equals(read(whole.dir))).toBe(true)
  }
  expect(loggedSteps(dir)).toEqual(loggedSteps(whole.dir))
}

const goOn = (dir: string) => shop.start(shop.train(dir, '--resume-from-checkpoint', 'true'))

test(`S9, S12: kill -9 at ${KILLS} random moments: each resumed run ends bit-identical to the undisturbed one`, async () => {
  let during = 0
  for (let i = 0; i < KILLS; i++) {
    const dir = join(shop.folder, `kill-${i}`)
    const started = shop.start(shop.train(dir))
    await afterSteps(dir, started, random.int(whole.steps - 4), 30)
    started.child.kill('SIGKILL')
    const code = await started.ended
    if (code === 'SIGKILL') during += 1
    const chosen = fs.existsSync(join(dir, 'run.json')) ? newest(dir) : undefined
    expect(chosen?.rejected ?? []).toEqual([])
    // Every step was saved: no more than the one that was going on is lost.
    const last = loggedSteps(dir).at(-1) ?? 0
    expect(last - (chosen?.step ?? 0)).toBeLessThanOrEqual(1)
    const again = fs.existsSync(join(dir, 'run.json')) ? goOn(dir) : shop.start(shop.train(dir))
    expect(`${await again.ended} ${again.text()}`).toMatch(/^0 /)
    expectSameEnd(dir)
    fs.rmSync(dir, { recursive: true })
  }
  expect(during).toBeGreaterThan(KILLS / 2)
})

test('a run that is killed again and again ends bit-identical to the undisturbed one', async () => {
  const dir = join(shop.folder, 'again')
  for (let i = 0; i < 5; i++) {
    const started = fs.existsSync(join(dir, 'run.json')) ? goOn(dir) : shop.start(shop.train(dir))
    await afterSteps(dir, started, loggedSteps(dir).length + 1 + random.int(3), 20)
    started.child.kill('SIGKILL')
    await started.ended
  }
  const last = goOn(dir)
  expect(`${await last.ended} ${last.text()}`).toMatch(/^0 /)
  expectSameEnd(dir)
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 143],
] as const)(
  'X1: %s at random moments: exit %d, a checkpoint of the last step, and it goes on to the same end',
  async (signal, code) => {
    let during = 0
    for (let i = 0; i < 7; i++) {
      const dir = join(shop.folder, `${signal}-${i}`)
      const started = shop.start(shop.train(dir, '--save-steps', '1000'))
      const step = 1 + random.int(whole.steps - 8)
      await afterSteps(dir, started, step, 20)
      started.child.kill(signal)
      const ended = await started.ended
      // At the very end the run may be done before the signal arrives.
      if (ended !== 0) {
        during += 1
        expect(`${ended} ${started.text()}`).toMatch(new RegExp(`^${code} `))
        expect(newest(dir)!.step).toBe(loggedSteps(dir).at(-1))
        const manifest = JSON.parse(fs.readFileSync(join(dir, 'run.json'), 'utf8')) as { status: string }
        expect(manifest.status).toBe('stopped')
      }
      const again = goOn(dir)
      expect(`${await again.ended} ${again.text()}`).toMatch(/^0 /)
      expectSameEnd(dir)
      fs.rmSync(dir, { recursive: true })
    }
    expect(during).toBeGreaterThan(3)
  },
)

test('X1: a second Ctrl-C leaves at once with 130; the folder stays valid', async () => {
  const dir = join(shop.folder, 'twice')
  const started = shop.start(shop.train(dir))
  await afterSteps(dir, started, 1)
  started.child.kill('SIGINT')
  started.child.kill('SIGINT')
  expect(await started.ended).toBe(130)
  const again = goOn(dir)
  expect(await again.ended).toBe(0)
  expectSameEnd(dir)
})

test('X1: a signal while the model and the data are still read: exit 143, and nothing that would not go on', async () => {
  const dir = join(shop.folder, 'early')
  const started = shop.start(shop.train(dir))
  while (!fs.existsSync(join(dir, '.lock')) && started.child.exitCode === null) await wait(1)
  started.child.kill('SIGTERM')
  expect(`${await started.ended} ${started.text()}`).toMatch(/^143 /)
  const again = goOn(dir)
  expect(`${await again.ended} ${again.text()}`).toMatch(/^0 /)
  expectSameEnd(dir)
})

test('S13: a second training in the folder gets exit 3, though the owner stands still, and changes no byte', async () => {
  const dir = join(shop.folder, 'busy')
  const owner = shop.start(shop.train(dir, '--num-train-epochs', '1000', '--save-steps', '100000'))
  await afterSteps(dir, owner, 1)
  owner.child.kill('SIGSTOP')
  const before = filesBelow(dir)
  for (const args of [
    shop.train(dir),
    shop.train(dir, '--resume-from-checkpoint', 'true', '--learning-rate', '1'),
  ]) {
    const second = shop.start(args)
    expect(`${await second.ended} ${second.text()}`).toMatch(/^3 .*another process is writing this run/s)
  }
  expect(filesBelow(dir)).toEqual(before)
  // A dead owner's lock needs no hand.
  owner.child.kill('SIGKILL')
  owner.child.kill('SIGCONT')
  expect(await owner.ended).toBe('SIGKILL')
  const heir = goOn(dir)
  expect(`${await heir.ended} ${heir.text()}`).toMatch(/^0 /)
})

test('S13: of eight started at once exactly one trains, the others leave with 3', async () => {
  const dir = join(shop.folder, 'crowd')
  const all = Array.from({ length: 8 }, () => shop.start(shop.train(dir)))
  const codes = await Promise.all(all.map(({ ended }) => ended))
  // One that came after the winner had ended finds a finished run: exit 2.
  expect(codes.filter((code) => code === 0)).toHaveLength(1)
  expect(codes.every((code) => code === 0 || code === 3 || code === 2)).toBe(true)
  expect(codes.filter((code) => code === 3).length).toBeGreaterThan(0)
  expectSameEnd(dir)
})

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
test.skipIf(!canMount)(
  'S4: a disk that fills up during training: exit 4, the earlier checkpoint goes on (skipped where unshare is not allowed)',
  async () => {
    const mount = join(shop.folder, 'mount')
    const copy = join(shop.folder, 'copy')
    fs.mkdirSync(mount)
    const script =
      'mount -t tmpfs -o size=2800k tmpfs "$1" && shift 2 && "$@"; code=$?; cp -a "$0/run" "$COPY"; exit $code'
    const wrapper = ['env', `COPY=${copy}`, 'unshare', '-rm', 'bash', '-c', script, mount, mount, '--']
    const started = shop.start(shop.train(join(mount, 'run'), '--save-total-limit', '50'), wrapper)
    expect(`${await started.ended} ${started.text()}`).toMatch(/^4 .*disk is full/s)
    const chosen = newest(copy)!
    expect(chosen.rejected).toEqual([])
    expect(chosen.step).toBeGreaterThan(0)
    expect(fs.readdirSync(copy).filter((name) => name.startsWith('.tmp'))).toEqual([])
    const again = goOn(copy)
    expect(`${await again.ended} ${again.text()}`).toMatch(/^0 /)
    expectSameEnd(copy)
  },
)

const canLimit = spawnSync('prlimit', ['--version']).status === 0
test.skipIf(!canLimit)(
  'memory that runs out: exit 4 with advice, no crash (skipped without prlimit)',
  async () => {
    const large = await openWorkshop(tempFolder('train-memory'), {
      hidden_size: 2048,
      intermediate_size: 8192,
    })
    const started = large.start(large.train(join(large.folder, 'run')), ['prlimit', `--as=${2 * 2 ** 30}`])
    expect(`${await started.ended} ${started.text()}`).toMatch(/^4 .*out of memory.*max_tokens_per_batch/s)
    fs.rmSync(large.folder, { recursive: true, force: true })
  },
)
