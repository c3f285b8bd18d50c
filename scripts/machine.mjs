// One line on what computes here, for logs: processor and level; with --engine also libtorch, and what multiplies each number type.
import { cpus } from 'node:os'
import { cpuLevel } from './setup/cpu.mjs'

const model = cpus()[0]?.model ?? 'unknown processor'
const parts = [`${model}, ${cpus().length} cores`, `level ${cpuLevel()}`, `Node ${process.version}`]
if (process.argv.includes('--engine')) {
  const { native } = await import('../dist/tensor/index.js')
  const { libtorch, multipliers } = native().engine()
  const products = Object.entries(multipliers).map(([dtype, library]) => `${dtype} by ${library}`)
  parts.push(`libtorch ${libtorch}`, ...products)
}
console.log(`machine: ${parts.join(' · ')}`)
