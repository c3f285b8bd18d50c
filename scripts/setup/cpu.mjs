// Levels of vector instructions: what kernels are compiled for, and what this processor has.
import { closeSync, openSync, readSync } from 'node:fs'

const NEEDS = {
  avx512: ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx2', 'fma', 'f16c'],
  avx2: ['avx2', 'fma', 'f16c'],
}

/** Compiler flags that make `at::vec` as wide as the level. */
const FLAGS = {
  default: '-DCPU_CAPABILITY=DEFAULT -DCPU_CAPABILITY_DEFAULT',
  avx2: '-mavx2 -mfma -mf16c -DCPU_CAPABILITY=AVX2 -DCPU_CAPABILITY_AVX2',
  avx512:
    '-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -DCPU_CAPABILITY=AVX512 -DCPU_CAPABILITY_AVX512',
}

const hasLevels = process.platform === 'linux' && process.arch === 'x64'

/** Every level that an addon of this platform holds, with its compiler flags: the processor chooses among them at run time. */
export const LEVELS = Object.entries(FLAGS)
  .filter(([level]) => hasLevels || level === 'default')
  .map(([level, flags]) => ({ level, flags: flags.split(' ') }))

/**
 * `avx512`, `avx2` or `default`: what this processor has, or less where CLHA_CPU_LEVEL asks for it. For people, before there is an
 * engine to ask; the engine asks the processor itself.
 */
export function cpuLevel() {
  if (!hasLevels) return 'default'
  const flags = new Set(firstCpuFlags())
  const here = Object.keys(NEEDS).find((level) => NEEDS[level].every((flag) => flags.has(flag))) ?? 'default'
  const order = Object.keys(FLAGS)
  const asked = order.indexOf(process.env.CLHA_CPU_LEVEL)
  return asked >= 0 && asked < order.indexOf(here) ? order[asked] : here
}

/** Only the start of the file: on a machine with many cores the whole of it takes long to produce. */
function firstCpuFlags() {
  try {
    const buffer = Buffer.alloc(8192)
    const file = openSync('/proc/cpuinfo', 'r')
    const length = readSync(file, buffer, 0, buffer.length, 0)
    closeSync(file)
    return (
      buffer
        .toString('latin1', 0, length)
        .match(/^flags\s*:(.*)$/m)?.[1]
        .trim()
        .split(' ') ?? []
    )
  } catch {
    return []
  }
}
