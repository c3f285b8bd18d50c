// The set-up lock: one process at a time, and a dead holder does not block the next.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { withLock } from '../../scripts/setup/lock.mjs'

const scratch = mkdtempSync(join(tmpdir(), 'clha-lock-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const plant = (name: string, holder: object) => {
  const path = join(scratch, name)
  mkdirSync(path)
  writeFileSync(join(path, 'holder.json'), JSON.stringify(holder))
  return path
}
const deadProcess = () => spawnSync(process.execPath, ['-e', '']).pid

test('two that want it at once run one after the other', async () => {
  const path = join(scratch, 'both')
  let inside = 0
  let most = 0
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise((resolve) => setTimeout(resolve, 30))
    inside -= 1
  }
  await Promise.all([withLock(path, work), withLock(path, work), withLock(path, work)])
  expect(most).toBe(1)
  expect(existsSync(path)).toBe(false)
})

test('the lock of a dead process is taken over', async () => {
  const path = plant('dead', { pid: deadProcess(), host: hostname() })
  expect(await withLock(path, () => 'done', { limitSeconds: 2 })).toBe('done')
})

test.skipIf(process.platform !== 'linux')(
  'the number of a dead process that another one has now is no holder (Linux)',
  async () => {
    const path = plant('number', { pid: process.pid, start: '1', host: hostname() })
    expect(await withLock(path, () => 'done', { limitSeconds: 2 })).toBe('done')
  },
)

test('a killed holder whose program still runs is waited for: npm and pip go on when their parent is gone', async () => {
  const path = plant('orphan', { pid: deadProcess(), host: hostname() })
  const note = join(path, 'child-1.json')
  writeFileSync(note, JSON.stringify({ pid: process.pid }))
  await expect(withLock(path, () => 'done', { limitSeconds: 0.3 })).rejects.toMatchObject({ exitCode: 3 })
  writeFileSync(note, JSON.stringify({ pid: deadProcess() }))
  expect(await withLock(path, () => 'done', { limitSeconds: 2 })).toBe('done')
})

test('a lock whose holder never wrote its name is taken over after a minute', async () => {
  const path = join(scratch, 'nameless')
  mkdirSync(path)
  const old = Date.now() / 1000 - 120
  utimesSync(path, old, old)
  expect(await withLock(path, () => 'done', { limitSeconds: 2 })).toBe('done')
})

test('a living holder, or one on another machine, is waited for, then named with exit code 3', async () => {
  for (const holder of [
    { pid: process.pid, host: hostname() },
    { pid: 1, host: 'another-machine' },
  ]) {
    const path = plant(`alive-${holder.host}`, holder)
    const told: unknown[] = []
    const attempt = withLock(path, () => 'done', {
      limitSeconds: 0.3,
      onWait: (pid) => told.push(pid),
    })
    await expect(attempt).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringContaining(`${holder.pid}`),
    })
    expect(told).toEqual([holder.pid])
    expect(existsSync(path)).toBe(true)
  }
})

test('a failure inside releases the lock', async () => {
  const path = join(scratch, 'failing')
  const attempt = withLock(path, () => {
    throw new Error('inside')
  })
  await expect(attempt).rejects.toThrow('inside')
  expect(existsSync(path)).toBe(false)
})
