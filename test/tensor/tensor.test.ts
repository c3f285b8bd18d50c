import { describe, expect, test } from 'vitest'
import {
  allocate,
  DTYPES,
  type DType,
  f32,
  f64,
  fromData,
  i64,
  memory,
  native,
  ops,
  scope,
} from '../../src/tensor/index.js'

describe('dtypes', () => {
  test('each dtype comes back as it went in', () => {
    scope(() => {
      const cases = [
        ['f32', Float32Array.of(0.1, -0, Number.POSITIVE_INFINITY, 3.4e38)],
        ['f64', Float64Array.of(0.1, -1e300, Number.NaN, 5e-324)],
        ['i32', Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1)],
        ['i64', BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n)],
        ['u8', Uint8Array.of(0, 1, 255)],
        ['bool', Uint8Array.of(0, 1, 1)],
        ['f16', Uint16Array.of(0x3c00, 0x7bff, 0x0001)],
        ['bf16', Uint16Array.of(0x3f80, 0x7f7f, 0x8000)],
      ] as const
      for (const [dtype, data] of cases) {
        const tensor = fromData(data, [data.length, 1], dtype)
        expect(tensor.dtype).toBe(dtype)
        expect(tensor.shape).toEqual([data.length, 1])
        expect(tensor.data()).toEqual(data)
        expect(tensor.device).toBe('cpu')
      }
    })
  })

  test('16-bit floats widen to the numbers their bits stand for', () => {
    scope(() => {
      const half = fromData(Uint16Array.of(0x3c00, 0x7bff, 0xc000, 0x0001), [4], 'f16')
      expect(ops.to(half, 'f64').numbers()).toEqual([1, 65504, -2, 2 ** -24])
      const brain = fromData(Uint16Array.of(0x3f80, 0xc000, 0x3eab), [3], 'bf16')
      expect(ops.to(brain, 'f64').numbers()).toEqual([1, -2, 0.333984375])
      expect(() => half.numbers()).toThrow(TypeError)
      expect(() => fromData(Uint16Array.of(1), [1])).toThrow('f16 or bf16')
    })
  })

  test('bools and integers are numbers', () => {
    scope(() => {
      expect(ops.eq(f32([1, 2]), f32([1, 3])).numbers()).toEqual([1, 0])
      expect(i64([1, -2]).numbers()).toEqual([1, -2])
      expect(() => i64([1.5])).toThrow(RangeError)
    })
  })

  test('a conversion goes between any two dtypes', () => {
    scope(() => {
      const names = Object.keys(DTYPES) as DType[]
      for (const from of names) {
        for (const to of names) {
          const there = ops.to(ops.to(f64([0, 1]), from), to)
          expect(there.dtype).toBe(to)
          expect(ops.to(there, 'f64').numbers()).toEqual([0, 1])
        }
      }
    })
  })
})

describe('memory', () => {
  test('bytes() is the tensor itself, before and after a write and after its dispose', () => {
    scope(() => {
      const x = f32([1, 2, 3])
      const view = x.bytes()
      new Float32Array(view.buffer, view.byteOffset, 3)[1] = 20
      expect(x.numbers()).toEqual([1, 20, 3])
      ops.mulScalarInPlace(x, 2)
      expect(Array.from(new Float32Array(view.buffer, view.byteOffset, 3))).toEqual([2, 40, 6])
      const again = x.bytes()
      again[0] = 1
      expect(view[0]).toBe(1)
      x.dispose()
      expect(new Float32Array(view.buffer, view.byteOffset, 3)[2]).toBe(6)
    })
  })

  test('bytes() of a tensor that is not contiguous is refused; data() copies it in row-major order', () => {
    scope(() => {
      const t = ops.transpose(f32([1, 2, 3, 4], [2, 2]), 0, 1)
      expect(() => t.bytes()).toThrow('contiguous')
      expect(t.numbers()).toEqual([1, 3, 2, 4])
    })
  })

  test('empty tensors have bytes, data and numbers', () => {
    scope(() => {
      const empty = allocate([0, 4])
      expect(empty.bytes().length).toBe(0)
      expect(empty.numbers()).toEqual([])
      expect(ops.sum(empty).item()).toBe(0)
    })
  })

  test('data of the wrong length is refused', () => {
    expect(() => scope(() => f32([1, 2, 3], [2]))).toThrow('8 bytes, the data 12')
  })

  test('counters: a view shares its storage, the peak stays until it is reset', () => {
    const start = memory({ resetPeak: true })
    scope(() => {
      const x = allocate([256, 256], 'f32')
      ops.transpose(x, 0, 1)
      const now = memory()
      expect(now.tensors).toBe(start.tensors + 2)
      expect(now.bytes).toBe(start.bytes + 256 * 256 * 4)
    })
    const end = memory()
    expect(end.tensors).toBe(start.tensors)
    expect(end.bytes).toBe(start.bytes)
    expect(end.peakBytes).toBeGreaterThanOrEqual(start.bytes + 256 * 256 * 4)
    memory({ resetPeak: true })
    expect(memory().peakBytes).toBe(end.bytes)
  })

  test('a storage is counted until its last view is gone', () => {
    const start = native().memory().bytes
    const x = allocate([1000], 'f64')
    const part = ops.narrow(x, 0, 10, 1)
    x.dispose()
    expect(native().memory().bytes).toBe(start + 8000)
    part.dispose()
    expect(native().memory().bytes).toBe(start)
  })
})
