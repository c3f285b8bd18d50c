/** Element types: their names here, in libtorch and in safetensors, and the typed array that holds them. */

export type DType = 'f32' | 'f64' | 'f16' | 'bf16' | 'i64' | 'i32' | 'u8' | 'i8' | 'bool'

interface Row {
  code: number
  bytes: number
  safetensors: string
}

/** `code` is c10::ScalarType. */
export const DTYPES: Record<DType, Row> = {
  u8: { code: 0, bytes: 1, safetensors: 'U8' },
  i8: { code: 1, bytes: 1, safetensors: 'I8' },
  i32: { code: 3, bytes: 4, safetensors: 'I32' },
  i64: { code: 4, bytes: 8, safetensors: 'I64' },
  f16: { code: 5, bytes: 2, safetensors: 'F16' },
  f32: { code: 6, bytes: 4, safetensors: 'F32' },
  f64: { code: 7, bytes: 8, safetensors: 'F64' },
  bool: { code: 11, bytes: 1, safetensors: 'BOOL' },
  bf16: { code: 15, bytes: 2, safetensors: 'BF16' },
}

const byCode = new Map(Object.entries(DTYPES).map(([name, row]) => [row.code, name as DType]))
const bySafetensors = new Map(Object.entries(DTYPES).map(([name, row]) => [row.safetensors, name as DType]))

export function dtypeOfCode(code: number): DType {
  const found = byCode.get(code)
  if (!found) throw new TypeError(`libtorch dtype ${code} has no name here`)
  return found
}

export function dtypeOfSafetensors(name: string): DType | undefined {
  return bySafetensors.get(name)
}

export type Data =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Uint16Array

/** A typed array over `bytes` (no copy when aligned). f16 and bf16 come as their 16-bit patterns. */
export function typedArray(dtype: DType, bytes: Uint8Array): Data {
  const size = DTYPES[dtype].bytes
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const args = [aligned.buffer, aligned.byteOffset, aligned.byteLength / size] as const
  switch (dtype) {
    case 'f32':
      return new Float32Array(...args)
    case 'f64':
      return new Float64Array(...args)
    case 'i32':
      return new Int32Array(...args)
    case 'i64':
      return new BigInt64Array(...args)
    case 'i8':
      return new Int8Array(...args)
    case 'f16':
    case 'bf16':
      return new Uint16Array(...args)
    default:
      return new Uint8Array(...args)
  }
}
