/** Memory of this machine as a process may take it: the system's, what is left of its container's, or a GPU's. */
import { readFileSync } from 'node:fs'
import { freemem } from 'node:os'
import { DEVICE_PROGRAM } from '../../plan/devices.js'
import { currentDevice, native } from '../../tensor/index.js'

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const number = (text: string | undefined, pattern = /(\d+)/): number | undefined => {
  const found = text === undefined ? undefined : pattern.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

/** Memory that is used only to cache files is free. Bytes. */
export function freeMemory(): number {
  const available = number(read('/proc/meminfo'), /MemAvailable:\s+(\d+)/)
  const machine = available === undefined ? freemem() : available * 1024
  return Math.min(machine, containerMemory())
}

/** What a training may take where it computes, in all, and what of it is taken by no tensor. Bytes. */
export function memoryHere(): { program: number; available: number } {
  const gpu = /^cuda:(\d+)$/.exec(currentDevice())?.[1]
  if (gpu === undefined)
    return { program: programMemory(), available: freeMemory() + process.memoryUsage.rss() }
  return { program: DEVICE_PROGRAM, available: native().engine().devices[Number(gpu)].bytes }
}

/** What native code takes besides tensors: threads, generated code of oneDNN, the tokenizer. Measured. */
const NATIVE = 64e6

/**
 * Bytes of this process without its tensors: programs and libraries as they are mapped, and the heap of JavaScript, with the
 * data. Freed tensors stay with the process, so what it has in all says nothing.
 */
function programMemory(): number {
  const { heapTotal, arrayBuffers } = process.memoryUsage()
  const mapped = number(read('/proc/self/status'), /RssFile:\s+(\d+)/)
  return (mapped === undefined ? 120e6 : mapped * 1024) + heapTotal + arrayBuffers + NATIVE
}

/** Bytes that are left within the limit of the control group; infinite where there is none. */
function containerMemory(): number {
  const limit = number(read('/sys/fs/cgroup/memory.max'))
  const used = number(read('/sys/fs/cgroup/memory.current'))
  if (limit !== undefined && used !== undefined) {
    const files = number(read('/sys/fs/cgroup/memory.stat'), /^inactive_file (\d+)/m) ?? 0
    return limit - used + files
  }
  const old = '/sys/fs/cgroup/memory'
  const [oldLimit, oldUsed] = [
    number(read(`${old}/memory.limit_in_bytes`)),
    number(read(`${old}/memory.usage_in_bytes`)),
  ]
  if (oldLimit === undefined || oldUsed === undefined) return Number.POSITIVE_INFINITY
  const files = number(read(`${old}/memory.stat`), /^total_inactive_file (\d+)/m) ?? 0
  return oldLimit - oldUsed + files
}
