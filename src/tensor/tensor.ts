/** A handle to a libtorch tensor. Operators are functions (`ops.generated.ts`), not methods. */

import { currentDevice } from './device.js'
import { type Data, DTYPES, type DType, dtypeOfCode, typedArray } from './dtype.js'
import { native } from './native.js'
import { dispose, enter, type Scoped } from './scope.js'

export class Tensor implements Scoped {
  rawHandle: number | undefined
  owned = false

  /** Use `wrap`. `madeBy` names the operator, for the error of a disposed tensor. */
  constructor(
    handle: number,
    readonly madeBy: string,
  ) {
    this.rawHandle = handle
  }

  get handle(): number {
    if (this.rawHandle === undefined) throw new Error(`this tensor (made by ${this.madeBy}) was disposed`)
    return this.rawHandle
  }

  get shape(): number[] {
    return native().shapeOf(this.handle)
  }

  get dtype(): DType {
    return dtypeOfCode(native().dtypeOf(this.handle))
  }

  get device(): string {
    return native().deviceOf(this.handle)
  }

  /** The only element, as a number. Waits for the device. */
  item(): number {
    return native().itemOf(this.handle)
  }

  /** A copy of the elements, in row-major order. */
  data(): Data {
    return typedArray(this.dtype, native().readBytes(this.handle))
  }

  /** A copy of the elements as plain numbers; for f32, f64, i32, i64, u8 and bool. */
  numbers(): number[] {
    if (this.dtype === 'f16' || this.dtype === 'bf16')
      throw new TypeError(`numbers() of ${this.dtype}: widen it first`)
    return Array.from(this.data() as ArrayLike<number | bigint>, Number)
  }

  /** The elements as bytes: the tensor's own memory on the CPU, elsewhere a copy. */
  hostBytes(): Uint8Array {
    return this.device === 'cpu' ? this.bytes() : native().readBytes(this.handle)
  }

  /** The tensor's own memory (CPU, contiguous): writing to it writes to the tensor. */
  bytes(): Uint8Array {
    return native().bytesOf(this.handle)
  }

  dispose(): void {
    dispose(this)
  }
}

/** A tensor from what the addon returned, owned by the innermost scope. */
export function wrap(handle: number, madeBy: string): Tensor {
  const tensor = new Tensor(handle, madeBy)
  enter(tensor)
  return tensor
}

/** An uninitialised tensor: memory of the CPU, for readers to fill, unless a device is named. */
export function allocate(shape: readonly number[], dtype: DType = 'f32', device = 'cpu'): Tensor {
  return wrap(native().allocate(shape, DTYPES[dtype].code, device), 'allocate')
}

/**
 * A CPU tensor over bytes of an open file, read when they are used; what is written to it never reaches the file.
 * @param offset bytes, a multiple of an element's
 */
export function mapFile(fd: number, offset: number, shape: readonly number[], dtype: DType): Tensor {
  return wrap(native().mapFile(fd, offset, shape, DTYPES[dtype].code), 'mapFile')
}

const defaultDtype = (data: Data): DType => {
  if (data instanceof Float32Array) return 'f32'
  if (data instanceof Float64Array) return 'f64'
  if (data instanceof Int32Array) return 'i32'
  if (data instanceof BigInt64Array) return 'i64'
  if (data instanceof Uint8Array) return 'u8'
  if (data instanceof Int8Array) return 'i8'
  throw new TypeError('16-bit patterns need a dtype: f16 or bf16')
}

/**
 * A typed array as a tensor on the current device, or the one named. @throws when the number of elements is not the shape's
 * @example
 * ```ts
 * fromData(Float32Array.of(1, 2, 3, 4), [2, 2]).shape // [2, 2]
 * ```
 */
export function fromData(
  data: Data,
  shape: readonly number[] = [data.length],
  dtype: DType = defaultDtype(data),
  device = currentDevice(),
): Tensor {
  const out = allocate(shape, dtype)
  native().writeBytes(out.handle, new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  const placed = onDevice(out, device)
  if (placed !== out) out.dispose()
  return placed
}

let move: number | undefined

/** The same numbers on the current device, or the one named; a tensor that is there already is returned as it is. */
export function onDevice(tensor: Tensor, device = currentDevice()): Tensor {
  if (tensor.device === device) return tensor
  move ??= native().findOperator('aten::to', 'device')
  // To a device the copy is queued like any operator; numbers for the CPU are waited for.
  const args = [tensor.handle, device, DTYPES[tensor.dtype].code, device !== 'cpu']
  return wrap(native().call(move, args) as number, 'onDevice')
}

export const f32 = (values: ArrayLike<number>, shape?: readonly number[]) =>
  fromData(Float32Array.from(values), shape)
export const f64 = (values: ArrayLike<number>, shape?: readonly number[]) =>
  fromData(Float64Array.from(values), shape)
export const i64 = (values: ArrayLike<number>, shape?: readonly number[]) =>
  fromData(BigInt64Array.from(values as ArrayLike<number> & Iterable<number>, BigInt), shape)
