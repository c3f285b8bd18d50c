/** Event files for TensorBoard: scalars and text, framed as TFRecords (length, CRC, data, CRC). */

import * as fs from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../files/folder.js'
import { maskedCrc32c } from './crc32c.js'
import { double, type Field, float, integer, nested } from './protobuf.js'

export interface TensorBoardWriter {
  readonly path: string
  scalar(tag: string, value: number, step: number): void
  /** Shown as Markdown. */
  text(tag: string, text: string, step: number): void
  close(): void
}

/** Events of one process; a resumed run opens another file in the same folder, from `resumeStep` on. */
export function openTensorBoard(folder: string, resumeStep?: number): TensorBoardWriter {
  makeFolder(folder)
  const seconds = Math.floor(Date.now() / 1000)
  const { fd, path } = createEventFile(folder, `events.out.tfevents.${seconds}.${hostname()}.${process.pid}`)
  const write = (fields: Field[]) => {
    const record = frame(Buffer.concat([double(1, Date.now() / 1000), ...fields]))
    for (let done = 0; done < record.length; ) done += fs.writeSync(fd, record, done)
  }
  const summary = (step: number, value: Field[]) => write([integer(2, step), nested(5, [nested(1, value)])])
  write([nested(3, 'brain.Event:2')])
  // SessionLog START: TensorBoard drops what an earlier file holds from this step on.
  if (resumeStep !== undefined) write([integer(2, resumeStep + 1), nested(7, [integer(1, 1)])])
  return {
    path,
    scalar: (tag, value, step) => summary(step, [nested(1, tag), float(2, value)]),
    text: (tag, text, step) =>
      summary(step, [nested(1, tag), nested(9, TEXT_PLUGIN), nested(8, textTensor(text))]),
    close: () => fs.closeSync(fd),
  }
}

function createEventFile(folder: string, name: string): { fd: number; path: string } {
  for (let number = 0; ; number++) {
    const path = join(folder, `${name}.${number}`)
    if (!fs.existsSync(path)) return { fd: fs.openSync(path, 'wx'), path }
  }
}

/** SummaryMetadata.plugin_data.plugin_name */
const TEXT_PLUGIN = [nested(1, [nested(1, 'text')])]
const DT_STRING = 7

/** A TensorProto of one string: dtype, shape [1], string_val. */
const textTensor = (text: string) => [
  integer(1, DT_STRING),
  nested(2, [nested(2, [integer(1, 1)])]),
  nested(8, text),
]

function frame(data: Uint8Array): Buffer {
  const record = Buffer.alloc(data.length + 16)
  record.writeBigUInt64LE(BigInt(data.length), 0)
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8)
  record.set(data, 12)
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length)
  return record
}
