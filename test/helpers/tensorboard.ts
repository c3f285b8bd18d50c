/** Reads TensorBoard's event files back. */
import * as fs from 'node:fs'
import { maskedCrc32c } from '../../src/runs/crc32c.js'

export interface TensorBoardEvent {
  step: number
  tag: string
  value: number | string
}

/**
 * Reads scalars and text back; a cut last record is left out.
 *
 * @throws Error on a record whose checksum is wrong
 */
export function readTensorBoard(path: string): TensorBoardEvent[] {
  const bytes = fs.readFileSync(path)
  const events: TensorBoardEvent[] = []
  for (let at = 0; at + 12 <= bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at))
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(bytes.subarray(at, at + 8))) throw badChecksum(path, at)
    if (at + 16 + length > bytes.length) break
    const data = bytes.subarray(at + 12, at + 12 + length)
    if (bytes.readUInt32LE(at + 12 + length) !== maskedCrc32c(data)) throw badChecksum(path, at)
    events.push(...readEvent(data))
    at += 16 + length
  }
  return events
}

const badChecksum = (path: string, at: number) =>
  new Error(`${path}: wrong checksum in the record at byte ${at}`)

function readEvent(data: Buffer): TensorBoardEvent[] {
  const event = decodeMessage(data)
  const step = Number(event.get(2)?.[0] ?? 0)
  const summaries = (event.get(5) ?? []) as Buffer[]
  return summaries.flatMap((summary) =>
    ((decodeMessage(summary).get(1) ?? []) as Buffer[]).map((bytes) => {
      const value = decodeMessage(bytes)
      const tag = String(value.get(1)?.[0] ?? '')
      const scalar = value.get(2)?.[0] as Buffer | undefined
      if (scalar) return { step, tag, value: scalar.readFloatLE() }
      const tensor = decodeMessage(value.get(8)?.[0] as Buffer)
      return { step, tag, value: String(tensor.get(8)?.[0] ?? '') }
    }),
  )
}

/** A message's fields by number: a bigint for varints, the raw bytes for all others. */
function decodeMessage(bytes: Buffer): Map<number, (bigint | Buffer)[]> {
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
