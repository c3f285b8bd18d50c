/** The element types of GGUF: which are read and written here, how wide a block of each is, and the names of the others. */

interface BlockType {
  id: number
  /** Numbers in a block; rows hold whole blocks. */
  block: number
  /** Bytes of a block. */
  bytes: number
}

export const TENSOR_TYPES = {
  F32: { id: 0, block: 1, bytes: 4 },
  F16: { id: 1, block: 1, bytes: 2 },
  Q4_0: { id: 2, block: 32, bytes: 18 },
  Q4_1: { id: 3, block: 32, bytes: 20 },
  Q5_0: { id: 6, block: 32, bytes: 22 },
  Q5_1: { id: 7, block: 32, bytes: 24 },
  Q8_0: { id: 8, block: 32, bytes: 34 },
  Q4_K: { id: 12, block: 256, bytes: 144 },
  Q5_K: { id: 13, block: 256, bytes: 176 },
  Q6_K: { id: 14, block: 256, bytes: 210 },
  BF16: { id: 30, block: 1, bytes: 2 },
} as const satisfies Record<string, BlockType>

export type TensorType = keyof typeof TENSOR_TYPES

const BY_ID = new Map<number, TensorType>(
  Object.entries(TENSOR_TYPES).map(([name, { id }]) => [id, name as TensorType]),
)

/** Types that ggml has and that are not read here, for messages. */
const OTHERS: Readonly<Record<number, string>> = {
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
  40: 'NVFP4',
}

export const tensorType = (id: number): TensorType | undefined => BY_ID.get(id)
export const otherType = (id: number): string => OTHERS[id] ?? `number ${id}`

/** Bytes of a run of numbers that fills whole blocks. */
export const bytesOf = (type: TensorType, numbers: number): number =>
  (numbers / TENSOR_TYPES[type].block) * TENSOR_TYPES[type].bytes
