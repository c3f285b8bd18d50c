// Which PyTorch wheel each platform gets, and the sums that are known.
import { SetupError } from './errors.mjs'
import { platform, torchVersion } from './paths.mjs'

export const cpuIndex = 'https://download.pytorch.org/whl/cpu'

/**
 * On Linux x86-64 the plain version is the CUDA build, the local version `+cpu` the CPU build; elsewhere the plain one is
 * a CPU build. `libraries`: names to unpack, `*` where the set was not tried. `size`: bytes to fetch, to announce it.
 */
export const wheels = {
  'linux-x64': {
    version: `${torchVersion}+cpu`,
    tag: 'manylinux_2_28_x86_64',
    libraries: ['libtorch.so', 'libtorch_cpu.so', 'libc10.so', 'libgomp'],
    size: 192e6,
    cuda: true,
  },
  'linux-arm64': { version: torchVersion, tag: 'manylinux_2_28_aarch64', libraries: ['*'], size: 150e6 },
  'darwin-arm64': { version: torchVersion, tag: 'macosx_11_0_arm64', libraries: ['*'], size: 80e6 },
}

/** sha256 by wheel file name. A platform that is not here was never tried: pip checks against the index alone. */
const knownSums = {
  'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl':
    '6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b',
}

export const hasKnownSum = () =>
  Object.keys(knownSums).some((name) => name.endsWith(`${wheels[platform]?.tag}.whl`))

/** Throws unless the wheel is the known one; CLHA_TORCH_SHA256 names another sum that the user trusts. */
export function checkWheel(sum, name) {
  const wanted = process.env.CLHA_TORCH_SHA256 || knownSums[name]
  if (!wanted) console.error(`  no sum is known for ${name}; pip checked it against its index. sha256 ${sum}`)
  else if (sum !== wanted)
    throw new SetupError(
      `${name} is not the expected file`,
      `sha256 expected ${wanted}\n       found    ${sum}\nIf you trust this source, set CLHA_TORCH_SHA256=${sum}`,
    )
}
