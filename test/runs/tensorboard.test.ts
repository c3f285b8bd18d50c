import * as fs from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { crc32c, maskedCrc32c } from '../../src/runs/crc32c.js'
import { openTensorBoard } from '../../src/runs/tensorboard.js'
import { temporaryFolder } from '../helpers/folders.js'
import { readTensorBoard } from '../helpers/tensorboard.js'

// RFC 3720, appendix B.4, and the usual check value.
test.each([
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['123456789', Buffer.from('123456789'), 0xe3069283],
  ['nothing', Buffer.alloc(0), 0],
])('CRC-32C of %s', (_, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected)
})

test('the mask rotates by 15 and adds a constant', () => {
  // 0 rotated is 0; the constant remains.
  expect(maskedCrc32c(Buffer.alloc(0))).toBe(0xa282ead8)
})

test('the first record is the one that TensorBoard writes: length 24, version brain.Event:2', () => {
  const writer = openTensorBoard(temporaryFolder())
  writer.close()
  const bytes = fs.readFileSync(writer.path)
  expect(bytes.readBigUInt64LE(0)).toBe(24n)
  // The length's checksum as every event file of TensorBoard starts with it.
  expect(bytes.readUInt32LE(8)).toBe(maskedCrc32c(bytes.subarray(0, 8)))
  expect(bytes.subarray(8, 12).toString('hex')).toBe('a37f4b22')
  expect(bytes.subarray(12 + 9, 12 + 24).toString('latin1')).toBe('\x1a\x0dbrain.Event:2')
  expect(bytes.length).toBe(12 + 24 + 4)
})

test('scalars and text come back with tag and step', () => {
  const writer = openTensorBoard(temporaryFolder(), 10)
  writer.scalar('rewards/margins', 0.5, 11)
  writer.scalar('loss', Number.NaN, 300)
  writer.text('samples', '**é**\n', 2 ** 33)
  writer.close()
  expect(readTensorBoard(writer.path)).toEqual([
    { step: 11, tag: 'rewards/margins', value: 0.5 },
    { step: 300, tag: 'loss', value: Number.NaN },
    { step: 2 ** 33, tag: 'samples', value: '**é**\n' },
  ])
})

test('two writers of one second have files of their own', () => {
  const folder = temporaryFolder()
  const writers = [openTensorBoard(folder), openTensorBoard(folder)]
  for (const writer of writers) writer.close()
  expect(new Set(writers.map(({ path }) => basename(path))).size).toBe(2)
})

test('a cut last record is left out, a changed byte is found', () => {
  const writer = openTensorBoard(temporaryFolder())
  writer.scalar('a', 1, 1)
  writer.scalar('a', 2, 2)
  writer.close()
  const bytes = fs.readFileSync(writer.path)
  const path = join(temporaryFolder(), 'cut')
  fs.writeFileSync(path, bytes.subarray(0, bytes.length - 1))
  expect(readTensorBoard(path)).toHaveLength(1)
  for (let at = 0; at < bytes.length; at++) {
    const damaged = Buffer.from(bytes)
    damaged[at] ^= 4
    fs.writeFileSync(path, damaged)
    expect(() => readTensorBoard(path)).toThrow('wrong checksum')
  }
})
