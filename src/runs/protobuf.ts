/** The few protocol-buffer encodings that TensorBoard's event files need. */

export type Field = Uint8Array

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Uint8Array.from(bytes)
}

const tag = (field: number, wireType: number) => varint((field << 3) | wireType)

export const integer = (field: number, value: number): Field => Buffer.concat([tag(field, 0), varint(value)])

export function double(field: number, value: number): Field {
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleLE(value)
  return Buffer.concat([tag(field, 1), bytes])
}

export function float(field: number, value: number): Field {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return Buffer.concat([tag(field, 5), bytes])
}

/** Text, bytes, or a nested message given by its fields. */
export function nested(field: number, content: string | readonly Field[]): Field {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.concat(content)
  return Buffer.concat([tag(field, 2), varint(bytes.length), bytes])
}
