import { expect, test } from 'vitest'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { readWhole, removeTree } from '../../src/files/storage.js'
import { writeFile } from '../../src/files/whole.js'
import { createRandom } from '../../src/random.js'
import { RUN, save } from '../helpers/checkpoints.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

const FILES = ['model.safetensors', 'training_state.json', 'manifest.json']

function withSteps(...steps: number[]): MemoryStorage {
  const storage = new MemoryStorage()
  for (const step of steps) save(storage, step)
  return storage
}

test.each(FILES)('S7: 1,000 of 1,000 flipped bits in %s are found, and the step before is chosen', (name) => {
  const storage = withSteps(100, 120)
  const path = `${RUN}/checkpoint-120/${name}`
  const whole = Buffer.from(readWhole(storage, path))
  const random = createRandom(`flip ${name}`)
  let found = 0
  for (let i = 0; i < 1000; i++) {
    const damaged = Buffer.from(whole)
    damaged[random.int(damaged.length)] ^= 1 << random.int(8)
    storage.damage(path, damaged)
    const chosen = newestValid(storage, RUN)
    if (chosen?.step === 100 && chosen.rejected[0].reason.includes(name)) found++
  }
  expect(found).toBe(1000)
  storage.damage(path, whole)
  expect(newestValid(storage, RUN)?.step).toBe(120)
})

test.each(FILES)('S7: every bit of the manifest, and every 7th bit of %s', (name) => {
  const storage = withSteps(100, 120)
  const path = `${RUN}/checkpoint-120/${name}`
  const whole = Buffer.from(readWhole(storage, path))
  for (let bit = 0; bit < whole.length * 8; bit += name === 'manifest.json' ? 1 : 7) {
    const damaged = Buffer.from(whole)
    damaged[bit >> 3] ^= 1 << (bit & 7)
    storage.damage(path, damaged)
    expect(newestValid(storage, RUN)?.step).toBe(100)
  }
})

test.each(FILES)('S8: %s cut at every power of two, to nothing, or longer by a byte', (name) => {
  const storage = withSteps(100, 120)
  const path = `${RUN}/checkpoint-120/${name}`
  const whole = Buffer.from(readWhole(storage, path))
  const cuts = [Buffer.alloc(0), Buffer.concat([whole, Buffer.alloc(1)]), whole.subarray(0, -1)]
  for (let length = 1; length < whole.length; length *= 2) cuts.push(whole.subarray(0, length))
  for (const cut of cuts) {
    storage.damage(path, cut)
    expect(newestValid(storage, RUN)?.step).toBe(100)
  }
})

test.each(FILES)('S8: %s missing, or a folder in its place', (name) => {
  const storage = withSteps(100, 120)
  const path = `${RUN}/checkpoint-120/${name}`
  removeTree(storage, path)
  expect(newestValid(storage, RUN)?.step).toBe(100)
  storage.mkdir(path)
  expect(newestValid(storage, RUN)?.step).toBe(100)
})

test('S8: every mixture of the files of steps 100 and 120 is refused, the pure ones are taken', () => {
  for (let mixture = 0; mixture < 8; mixture++) {
    const storage = withSteps(80, 100, 120)
    FILES.forEach((name, i) => {
      if (!(mixture & (1 << i))) return
      storage.damage(`${RUN}/checkpoint-120/${name}`, readWhole(storage, `${RUN}/checkpoint-100/${name}`))
    })
    // Even all files of step 100 together are no checkpoint of step 120.
    expect(newestValid(storage, RUN)?.step).toBe(mixture === 0 ? 120 : 100)
  }
})

test('S8: two checkpoints with their names swapped are both refused', () => {
  const storage = withSteps(80, 100, 120)
  storage.rename(`${RUN}/checkpoint-120`, `${RUN}/x`)
  storage.rename(`${RUN}/checkpoint-100`, `${RUN}/checkpoint-120`)
  storage.rename(`${RUN}/x`, `${RUN}/checkpoint-100`)
  const chosen = newestValid(storage, RUN)
  expect([chosen?.step, chosen?.rejected.length]).toEqual([80, 2])
})

test('a file that was added to a checkpoint does no harm', () => {
  const storage = withSteps(120)
  writeFile(storage, `${RUN}/checkpoint-120/README.md`, [Buffer.from('mine')])
  expect(newestValid(storage, RUN)?.step).toBe(120)
})
