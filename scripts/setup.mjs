// Makes this folder ready to run: packages, libtorch, the engine, TypeScript. Skips what is done. `--help` tells more.
import { explain, SetupError } from './setup/errors.mjs'
import { describeSetUp, setUp } from './setup/steps.mjs'

const HELP = `npm run setup -- [options]

  --quiet               print nothing unless something fails
  --only STEPS          packages, libtorch, engine, typescript; separated by commas
  --accept-cuda-wheel   fetch PyTorch's CUDA build (several GB) instead of the CPU build

  LIBTORCH=<folder>           use this libtorch (2.9 to 2.13): a folder with lib/ and include/
  CLHA_CACHE=<folder>         where the private libtorch is kept; ~/.cache/clha by default
  CLHA_TORCH_INDEX=<url>      the package index to fetch PyTorch's wheel from
  CLHA_TORCH_SHA256=<sum>     the sum that wheel must have, if not the known one
  CLHA_CPU_LEVEL=<level>      avx512, avx2 or default, instead of the widest of this machine
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

try {
  const options = readOptions(process.argv.slice(2))
  if (options.help) console.log(HELP)
  else {
    const due = await setUp(options)
    if (due.length === 0 && !options.quiet) {
      const [packages, libtorch, engine] = describeSetUp().map(({ text }) => text)
      console.error(`set-up         ✓ done · ${packages} · libtorch ${libtorch} · ${engine}`)
    }
  }
} catch (error) {
  process.exitCode = explain(error)
}
