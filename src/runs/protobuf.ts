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

/** A message's fields by number: a bigint for varints, the raw bytes for all others. */
export function decodeMessage(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  const readVarint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const key = Number(readVarint())
    const wireType = key & 7
    if (![0, 1, 2, 5].includes(wireType)) throw new Error(`unknown wire type ${wireType}`)
    const value =
      wireType === 0 ? readVarint() : take(wireType === 1 ? 8 : wireType === 5 ? 4 : Number(readVarint()))
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), value])
  }
  return fields
}
