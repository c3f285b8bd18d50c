/** `clha setup`: the launcher takes it before anything of the library is loaded; it stands here for help and completion. */
import type { Command } from '../command.js'

interface SetUp {
  runSetup(args: readonly string[]): Promise<number>
}

export const setupCommand: Command = {
  path: ['setup'],
  summary: 'make libtorch and the engine ready; the other commands do it when it is needed',
  examples: ['clha setup', 'clha setup --accept-cuda-wheel'],
  arguments: [],
  flags: [
    {
      flag: '--accept-cuda-wheel',
      meaning: "fetch PyTorch's CUDA build (several GB) instead of the CPU build",
    },
    { flag: '--quiet', meaning: 'print nothing unless something fails' },
  ],
  keys: [],
  groups: [],
  unstoppable: true,
  async run({ flags: { acceptCudaWheel, quiet } }) {
    const script = new URL('../../../scripts/setup.mjs', import.meta.url).href
    const { runSetup } = (await import(script)) as SetUp
    const args = [acceptCudaWheel ? ['--accept-cuda-wheel'] : [], quiet ? ['--quiet'] : []].flat()
    return { exitCode: await runSetup(args) }
  },
}
