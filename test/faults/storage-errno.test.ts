import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { newestValid } from '../../src/checkpoint/policy/resume.js'
import { ClhaError } from '../../src/errors.js'
import { DiskStorage, type Storage } from '../../src/files/storage.js'
import { writeFile } from '../../src/files/whole.js'
import { holds, RUN, save } from '../helpers/checkpoints.js'
import { type Fault, FaultyStorage, type Operation } from '../helpers/storage-faulty.js'
import { MemoryStorage } from '../helpers/storage-memory.js'

/** Saves step 120 on a disk that holds step 100, with a fault planned; what came of it. */
function saveWith(inner: MemoryStorage, plan: (operation: Operation) => Fault | undefined) {
  const storage = new FaultyStorage(inner, plan)
  let error: unknown
  try {
    save(storage, 120)
  } catch (caught) {
    error = caught
  }
  return { error, operations: storage.operations }
}

function withStep100(capacity?: number): MemoryStorage {
  const inner = new MemoryStorage(capacity)
  save(inner, 100)
  return inner
}

const total = saveWith(withStep100(), () => undefined).operations.length

/** Either saved and whole, or a typed error with exit 4; the step before is there in any case. */
function checkOutcome(inner: Storage, error: unknown): void {
  const chosen = newestValid(inner, RUN)
  expect(holds(inner, `${RUN}/checkpoint-100`, 100)).toBe(true)
  expect(chosen?.rejected).toEqual([])
  expect(holds(inner, chosen!.path, chosen!.step)).toBe(true)
  if (error === undefined) {
    expect(chosen?.step).toBe(120)
  } else {
    expect(error).toBeInstanceOf(ClhaError)
    expect((error as ClhaError).exitCode).toBe(4)
    expect((error as ClhaError).message).toContain(`${RUN}/checkpoint-120`)
  }
}

test.each(['EIO', 'EINTR', 'EROFS', 'EACCES', 'EDQUOT', 'ENOSPC', 'EFBIG', 'EMFILE'])(
  'S5: %s once, at every operation',
  (errno) => {
    const passing = ['EIO', 'EINTR', 'EMFILE'].includes(errno)
    for (let at = 1; at <= total; at++) {
      const inner = withStep100()
      const { error, operations } = saveWith(inner, ({ index }) => (index === at ? { errno } : undefined))
      checkOutcome(inner, error)
      const name = operations[at - 1].name
      const isSync = name === 'sync' || name === 'fsyncDir'
      expect([errno, name, error === undefined]).toEqual([errno, name, passing && !isSync])
      expect(inner.list(RUN).filter((entry) => entry.startsWith('.'))).toEqual([])
    }
  },
)

test('S5: an error that stays ends in a typed error, at every operation', () => {
  for (let at = 1; at <= total; at++) {
    const inner = withStep100()
    const { error, operations } = saveWith(inner, ({ index }) => (index >= at ? { errno: 'EIO' } : undefined))
    expect(error).toBeInstanceOf(ClhaError)
    checkOutcome(inner, error)
    expect(operations.length).toBeLessThan(4 * (total + 20))
  }
})

test.each([0, 0.5, 0.99])(
  'S5: writes that take only a part (%d of what is offered) are completed',
  (shortWrite) => {
    const inner = withStep100()
    const { error } = saveWith(inner, ({ name }) => (name === 'write' ? { shortWrite } : undefined))
    expect(error).toBeUndefined()
    checkOutcome(inner, error)
  },
)

test('S5: a short write at every single write is completed', () => {
  for (let at = 1; at <= total; at++) {
    const inner = withStep100()
    const { error } = saveWith(inner, ({ index, name }) =>
      index === at && name === 'write' ? { shortWrite: 0.5 } : undefined,
    )
    expect(error).toBeUndefined()
    checkOutcome(inner, error)
  }
})

test('S4: 100 fill levels of a disk: saved, or exit 4 with the missing bytes, temp removed, the old one whole', () => {
  const used = withStep100(1e9).capacity - withStep100(1e9).freeBytes()
  let saved = 0
  for (let percent = 1; percent <= 100; percent++) {
    const inner = withStep100(Math.ceil(used * (1 + (1.5 * percent) / 100)))
    // The check of free space sees plenty, so that the write itself must fail.
    const generous = Object.assign(new FaultyStorage(inner, () => undefined), { freeBytes: () => 1e12 })
    let error: unknown
    try {
      save(generous, 120)
      saved++
    } catch (caught) {
      error = caught
    }
    checkOutcome(inner, error)
    if (error) expect((error as ClhaError).message).toMatch(/the disk is full: \d+ bytes more are needed/)
    expect(inner.list(RUN).filter((entry) => entry.startsWith('.'))).toEqual([])
  }
  expect(saved).toBe(34)
})

test.skipIf(!fs.existsSync('/dev/full'))(
  'S4: a device that is full is an error, not a short file (skipped without it)',
  () => {
    const disk = new DiskStorage()
    const full = Object.assign(new DiskStorage(), {
      create: () => {
        const fd = fs.openSync('/dev/full', 'w')
        return {
          write: (bytes: Uint8Array) => fs.writeSync(fd, bytes),
          sync: () => fs.fsyncSync(fd),
          close: () => fs.closeSync(fd),
        }
      },
    })
    expect(() => writeFile(full, 'any', [Buffer.alloc(10)])).toThrow('ENOSPC')
    expect(disk.freeBytes(join('/'))).toBeGreaterThan(0)
  },
)
