// The CUDA sources of native/cuda as C++ literals under their file names, so that the run-time compiler's errors name them.
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listFiles } from './files.mjs'
import { nativeDir } from './paths.mjs'

/** The file that native/cuda/kernels.cc includes; set-up writes it beside the objects. */
export const CUDA_SOURCE = 'cuda_source.inc'
export const isCuda = (file) => /\.cuh?$/.test(file)

/** @returns text of the C++ file that defines kProgram (which includes every .cu file), kNames and kTexts */
export function cudaSource() {
  const files = listFiles(nativeDir).filter(isCuda)
  const literal = (file) => `R"cuda(${readFileSync(join(nativeDir, file), 'utf8')})cuda"`
  const program = files
    .filter((file) => file.endsWith('.cu'))
    .map((file) => `#include \\"${basename(file)}\\"\\n`)
  return `constexpr const char* kProgram = "${program.join('')}";
constexpr const char* kNames[] = {${files.map((file) => `"${basename(file)}"`).join(', ')}};
constexpr const char* kTexts[] = {${files.map(literal).join(',\n')}};
`
}
