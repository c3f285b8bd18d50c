/** `clha setup`: the launcher takes it before anything of the library is loaded; it stands here for the help. */
import type { CliCommand } from '../command.js'

interface SetUp {
  runSetup(args: readonly string[]): Promise<number>
}

export const setupCommand: CliCommand = {
  path: ['setup'],
  summary:
    'make ready what the other commands need: libtorch and the engine; every command does it when needed',
  examples: ['clha setup', 'clha setup --accept-cuda-wheel'],
  keys: async () => [],
  define(command) {
    command.option('--accept-cuda-wheel', "fetch PyTorch's CUDA build (several GB) instead of the CPU build")
    command.option('--quiet', 'print nothing unless something fails')
  },
  async run(_io, _args, { acceptCudaWheel, quiet }) {
    const script = new URL('../../../scripts/setup.mjs', import.meta.url).href
    const { runSetup } = (await import(script)) as SetUp
    return runSetup([...(acceptCudaWheel ? ['--accept-cuda-wheel'] : []), ...(quiet ? ['--quiet'] : [])])
  },
}
