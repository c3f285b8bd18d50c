import * as fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bitsOf, type SafetensorsDtype } from '../../src/checkpoint/format/dtypes.js'
import { openSafetensors } from '../../src/checkpoint/format/safetensors.js'
import { layoutSafetensors, type TensorToWrite } from '../../src/checkpoint/format/safetensors-write.js'
import { DiskStorage } from '../../src/files/storage.js'
import { temporaryFolder, thrown } from '../helpers/folders.js'
import { writeSafetensors } from '../helpers/safetensors.js'

const disk = new DiskStorage()

const DTYPES = 'BOOL U8 I8 I16 U16 F16 BF16 I32 U32 F32 F64 I64 U64'.split(' ') as SafetensorsDtype[]

function tensor(name: string, dtype: TensorToWrite['dtype'], shape: number[], fill = 1): TensorToWrite {
  const elements = shape.reduce((product, extent) => product * extent, 1)
  return { name, dtype, shape, bytes: new Uint8Array((elements * bitsOf(dtype)) / 8).fill(fill) }
}

function readAll(path: string) {
  const file = openSafetensors(path)
  const tensors = [...file.entries].map(([name, { dtype, shape, begin, end }]) => {
    const bytes = new Uint8Array(end - begin)
    file.readInto(name, bytes)
    return { name, dtype, shape, bytes }
  })
  file.close()
  return tensors
}

test('every dtype, scalars, empty tensors and odd names come back as they were written', () => {
  const path = join(temporaryFolder(), 'a.safetensors')
  const tensors = [
    ...DTYPES.map((dtype, i) => tensor(`t.${dtype}`, dtype, [2, 4], i)),
    tensor('scalar', 'F32', []),
    tensor('empty', 'BF16', [0, 7]),
    tensor('__proto__', 'U8', [3]),
    tensor('ü"\\\n', 'I64', [1]),
  ]
  writeSafetensors(disk, path, tensors, { format: 'pt', __proto__x: 'é' })
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
  expect(readAll(path).sort(byName)).toEqual([...tensors].sort(byName))
  const file = openSafetensors(path)
  expect([...file.metadata]).toEqual([
    ['format', 'pt'],
    ['__proto__x', 'é'],
  ])
  file.close()
})

test('a written file is laid out as the format recommends: wide types first, header and tensors aligned', () => {
  const { bytes, chunks } = layoutSafetensors([
    tensor('b', 'U8', [3]),
    tensor('z', 'F64', [1]),
    tensor('a', 'F32', [1]),
  ])
  const file = Buffer.concat([...chunks()])
  const headerBytes = Number(file.readBigUInt64LE(0))
  expect(file.length).toBe(bytes)
  expect(headerBytes % 8).toBe(0)
  expect(
    file
      .subarray(8, 8 + headerBytes)
      .toString()
      .trimEnd(),
  ).toBe(
    '{"z":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},' +
      '"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"U8","shape":[3],"data_offsets":[12,15]}}',
  )
})

test('bytes that do not fit the shape, or a name given twice, are refused before anything is written', () => {
  expect(() => layoutSafetensors([{ ...tensor('a', 'F32', [2]), shape: [3] }])).toThrow(
    'does not take 8 bytes',
  )
  expect(() => layoutSafetensors([tensor('a', 'F32', [2]), tensor('a', 'F32', [2])])).toThrow('is taken')
})

test('writing over a file replaces it at once and leaves no temporary file', () => {
  const folder = temporaryFolder()
  const path = join(folder, 'a.safetensors')
  writeSafetensors(disk, path, [tensor('a', 'U8', [4], 1)])
  const old = fs.openSync(path, 'r')
  writeSafetensors(disk, path, [tensor('a', 'U8', [4], 2)])
  const before = Buffer.alloc(fs.fstatSync(old).size)
  fs.readSync(old, before, 0, before.length, 0)
  fs.closeSync(old)
  expect(before.subarray(-4)).toEqual(Buffer.from([1, 1, 1, 1]))
  expect(readAll(path)[0].bytes).toEqual(new Uint8Array([2, 2, 2, 2]))
  expect(fs.readdirSync(folder)).toEqual(['a.safetensors'])
})

test('a cut file is refused with exit 2, the tensor, the sizes and the likely cause', () => {
  const path = join(temporaryFolder(), 'model.safetensors')
  writeSafetensors(disk, path, [tensor('model.up_proj.weight', 'F32', [16, 4])])
  fs.truncateSync(path, fs.statSync(path).size - 8)
  const error = thrown(() => openSafetensors(path))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain(
    `${path}: tensor "model.up_proj.weight" says [16, 4] but its data is 8 bytes short`,
  )
  expect(error.hint).toContain('not fully copied')
})

test('a file that shrinks after it was opened gives an error, not short data', () => {
  const path = join(temporaryFolder(), 'a.safetensors')
  writeSafetensors(disk, path, [tensor('a', 'U8', [100])])
  const file = openSafetensors(path)
  fs.truncateSync(path, fs.statSync(path).size - 60)
  expect(thrown(() => file.readInto('a', new Uint8Array(100))).message).toContain(
    'expected 100 bytes, found 40',
  )
  file.close()
})

test('reading asks for an existing name, a target of the exact size, and an open file', () => {
  const path = join(temporaryFolder(), 'a.safetensors')
  writeSafetensors(disk, path, [tensor('a', 'U8', [4])])
  const file = openSafetensors(path)
  expect(thrown(() => file.readInto('b', new Uint8Array(4))).exitCode).toBe(2)
  expect(() => file.readInto('a', new Uint8Array(5))).toThrow('target 5')
  file.close()
  file.close()
  expect(() => file.readInto('a', new Uint8Array(4))).toThrow('closed')
})

test('a missing file and a folder in place of a file are told apart from damage', () => {
  const folder = temporaryFolder()
  expect(thrown(() => openSafetensors(join(folder, 'none'))).message).toContain('ENOENT')
  expect(thrown(() => openSafetensors(folder)).message).toContain('not a file')
})

test.each([
  ['a torch zip archive', 'PK\x03\x04\x14\x00\x00\x08\x08\x00', 'pickle', 'torch.load'],
  ['a bare pickle', '\x80\x02}q\x00X\x01\x00\x00\x00a', 'Python pickle', 'torch.load'],
  ['a NumPy array', '\x93NUMPY\x01\x00v\x00', 'NumPy', 'safetensors'],
  ['a GGUF file', 'GGUF\x03\x00\x00\x00\x00\x00', 'GGUF', 'clha import'],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1', 'LFS pointer', 'git lfs pull'],
])('%s under the name of safetensors is refused by its first bytes', (_, content, message, hint) => {
  const path = join(temporaryFolder(), 'model.safetensors')
  fs.writeFileSync(path, Buffer.from(content, 'latin1'))
  const error = thrown(() => openSafetensors(path))
  expect(error.exitCode).toBe(2)
  expect(error.message).toContain(message)
  expect(error.hint).toContain(hint)
})
