import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { listCheckpoints } from '../../src/checkpoint/policy/names.js'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { DiskStorage } from '../../src/files/storage.js'
import { createRandom } from '../../src/random.js'
import { temporaryFolder } from '../helpers/folders.js'
import { compileSaver, start } from '../helpers/saver-process.js'

const KILLS = Number(process.env.CLHA_KILLS ?? 25)
const disk = new DiskStorage()

test(`S1: kill -9 at ${KILLS} random moments of saving 24 MiB: nothing invalid, nothing acknowledged lost`, async () => {
  const program = compileSaver()
  const runDir = join(temporaryFolder(), 'run')
  const random = createRandom('kill')
  let acknowledged = 0
  let interrupted = 0
  for (let i = 0; i < KILLS; i++) {
    const saver = start(process.execPath, [program, runDir, 'loop', String(24 * 2 ** 20)])
    await saver.firstLine
    await wait(random.int(400))
    saver.child.kill('SIGKILL')
    await saver.ended
    for (const line of saver.lines) {
      expect(line).toMatch(/^saved \d+$/)
      acknowledged = Math.max(acknowledged, Number(line.split(' ')[1]))
    }
    const chosen = newestValid(disk, runDir)!
    expect(chosen.rejected).toEqual([])
    expect(chosen.step).toBeGreaterThanOrEqual(acknowledged)
    expect(fs.readFileSync(join(chosen.path, 'state.json'), 'utf8')).toBe(String(chosen.step))
    expect(listCheckpoints(disk, runDir).length).toBeLessThanOrEqual(4)
    if (fs.readdirSync(runDir).some((name) => name.startsWith('.'))) interrupted++
  }
  // Most kills hit a save or a removal, or the test would prove little.
  expect(interrupted).toBeGreaterThan(KILLS / 4)
})

test('S6: a file-size limit ends in exit 4; the folder holds no leftover and the earlier checkpoint', async () => {
  const program = compileSaver()
  const runDir = join(temporaryFolder(), 'run')
  await start(process.execPath, [program, runDir, 'once', '3000']).ended
  const command = `ulimit -f 1024; exec "$0" "$@"`
  const saver = start('bash', ['-c', command, process.execPath, program, runDir, 'once', String(9 * 2 ** 20)])
  await saver.ended
  expect(saver.lines).toHaveLength(1)
  expect(saver.lines[0]).toMatch(/^exit 4 .*checkpoint-2: the disk is full/)
  expect(fs.readdirSync(runDir)).toEqual(['checkpoint-1'])
  expect(newestValid(disk, runDir)?.step).toBe(1)
})

const canMount = spawnSync('unshare', ['-rm', 'true']).status === 0
test.skipIf(!canMount).each(['once', 'unchecked'])(
  'S4: a real small disk that is full ends in exit 4, the earlier checkpoint stays (%s; skipped where unshare is not allowed)',
  async (mode) => {
    const program = compileSaver()
    const mount = temporaryFolder()
    const bytes = String(3 * 2 ** 20)
    const script = [
      'mount -t tmpfs -o size=4608k tmpfs "$1"',
      '"$2" "$3" "$1/run" once "$5"',
      '"$2" "$3" "$1/run" "$4" "$5"',
      'ls -A "$1/run"',
    ].join(' && ')
    const saver = start('unshare', [
      '-rm',
      'bash',
      '-c',
      script,
      'bash',
      mount,
      process.execPath,
      program,
      mode,
      bytes,
    ])
    await saver.ended
    expect(saver.lines[0]).toBe('saved 1')
    expect(saver.lines[1]).toMatch(/^exit 4 .*checkpoint-2: the disk is full: \d+ bytes more/)
    expect(saver.lines.slice(2)).toEqual(['checkpoint-1'])
  },
)
