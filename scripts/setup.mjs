// Makes this folder ready to run: packages, libtorch, the engine, TypeScript. Skips what is done. `--help` tells more.
import { fileURLToPath } from 'node:url'
import { explain, SetupError } from './setup/errors.mjs'
import { setupWith, torchVersions } from './setup/paths.mjs'
import { describeSetUp, setUp } from './setup/steps.mjs'

const HELP = `${setupWith('[options]')}

  --quiet               print nothing unless something fails
  --only STEPS          packages, libtorch, engine, typescript; separated by commas
  --accept-cuda-wheel   fetch PyTorch's CUDA build (several GB) instead of the CPU build

  LIBTORCH=<folder>           use this libtorch (${torchVersions}): a folder with lib/ and include/
  CLHA_CACHE=<folder>         where the private libtorch is kept; ~/.cache/clha by default
  CLHA_BUILD_DIR=<folder>     where the engine is kept
  CLHA_TORCH_INDEX=<url>      the package index to fetch PyTorch's wheel from
  CLHA_TORCH_SHA256=<sum>     the sum that wheel must have, if not the known one
  CLHA_CPU_LEVEL=<level>      avx512, avx2 or default, instead of the widest that the processor has
  CXX=<compiler>, PYTHON=<python with pip>
`
const STEPS = ['packages', 'libtorch', 'engine', 'typescript']

function readOptions(args) {
  const options = { quiet: false, acceptCudaWheel: false, only: undefined, help: false }
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--quiet') options.quiet = true
    else if (args[i] === '--help') options.help = true
    else if (args[i] === '--accept-cuda-wheel') options.acceptCudaWheel = true
    else if (args[i] === '--only') options.only = (args[++i] ?? '').split(',')
    else throw new SetupError(`unknown option ${args[i]}`, HELP, 2)
  }
  const wrong = options.only?.find((name) => !STEPS.includes(name))
  if (wrong !== undefined) throw new SetupError(`unknown step "${wrong}"`, `steps: ${STEPS.join(', ')}`, 2)
  return options
}

/** @returns the exit code of `clha setup` with these arguments */
export async function runSetup(args) {
  const options = readOptions(args)
  if (options.help) {
    console.log(HELP)
    return 0
  }
  const due = await setUp(options)
  if (due.length === 0 && !options.quiet) {
    const [packages, libtorch, engine] = describeSetUp().map(({ text }) => text)
    console.error(`set-up         ✓ done · ${packages} · libtorch ${libtorch} · ${engine}`)
  }
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await runSetup(process.argv.slice(2))
  } catch (error) {
    process.exitCode = explain(error)
  }
}
