// The CUDA sources of native/cuda as C++ literals under their file names, so that the run-time compiler's errors name them.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { nativeDir } from './paths.mjs'

/** A literal of C++ may hold 64 KiB at least; a longer file would have to be cut. */
const LONGEST = 65_536

/** @returns text of the C++ file that defines kProgram, kNames and kTexts */
export function cudaSource() {
  const folder = join(nativeDir, 'cuda')
  const names = readdirSync(folder)
    .filter((name) => /\.cuh?$/.test(name))
    .sort()
  const texts = names.map((name) => readFileSync(join(folder, name), 'utf8'))
  const long = names.find((_, i) => texts[i].length > LONGEST)
  if (long) throw new Error(`native/cuda/${long} is longer than ${LONGEST} characters`)
  const program = names.filter((name) => name.endsWith('.cu')).map((name) => `#include \\"${name}\\"\\n`)
  return [
    `constexpr const char* kProgram = "${program.join('')}";`,
    `constexpr const char* kNames[] = {${names.map((name) => `"${name}"`).join(', ')}};`,
    `constexpr const char* kTexts[] = {\n${texts.map((text) => `R"cuda(${text})cuda"`).join(',\n')}};`,
    '',
  ].join('\n')
}
