// The widest vector instructions of this machine that ATen's vector classes have a build for.
import { closeSync, openSync, readSync } from 'node:fs'

const NEEDS = {
  avx512: ['avx512f', 'avx512bw', 'avx512vl', 'avx512dq', 'avx2', 'fma', 'f16c'],
  avx2: ['avx2', 'fma', 'f16c'],
}

/** Compiler flags that make `at::vec` as wide as the level. */
export const LEVEL_FLAGS = {
  avx512:
    '-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -DCPU_CAPABILITY=AVX512 -DCPU_CAPABILITY_AVX512',
  avx2: '-mavx2 -mfma -mf16c -DCPU_CAPABILITY=AVX2 -DCPU_CAPABILITY_AVX2',
  default: '-DCPU_CAPABILITY=DEFAULT -DCPU_CAPABILITY_DEFAULT',
}

/** `avx512`, `avx2` or `default`; CLHA_CPU_LEVEL overrides it. */
export function cpuLevel() {
  const asked = process.env.CLHA_CPU_LEVEL
  if (asked && LEVEL_FLAGS[asked]) return asked
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'default'
  const flags = new Set(firstCpuFlags())
  return Object.keys(NEEDS).find((level) => NEEDS[level].every((flag) => flags.has(flag))) ?? 'default'
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
