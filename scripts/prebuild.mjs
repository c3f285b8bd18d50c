// Makes the platform package: the engine compiled for machines like this one, as `npm pack` makes it. `--help` tells more.
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const HELP = `node scripts/prebuild.mjs [--out FOLDER]

Compiles the engine for other machines of this platform against the libtorch that set-up fetches (LIBTORCH names another),
checks what it asks of them, and packs it. The tarball comes to lie in FOLDER, build/packages by default.
`
const TRIED = ['linux-x64']
const GLIBC = '2.28' // what PyTorch's own wheels ask for

const root = resolve(fileURLToPath(new URL('..', import.meta.url)))
// Objects with other flags are kept apart. Set before set-up's modules read it.
process.env.CLHA_BUILD_DIR ??= join(root, 'build/prebuild')

const { addon, compileEngine, record } = await import('./setup/engine.mjs')
const { explain, SetupError, tail } = await import('./setup/errors.mjs')
const { readJson } = await import('./setup/files.mjs')
const { findLibtorch, ownLibtorch } = await import('./setup/libtorch.mjs')
const { platform, tilde } = await import('./setup/paths.mjs')
const { enginePackage, isOlder } = await import('./setup/prebuilt.mjs')
const { run } = await import('./setup/run.mjs')

const manifest = readJson(join(root, 'package.json'))

async function tool(command, args, cwd) {
  const { code, output, missing } = await run(command, args, { cwd })
  if (missing) throw new SetupError(`${command} was not found`, 'it comes with binutils, npm with Node')
  if (code !== 0) throw new SetupError(`${command} ${args[0]} failed`, tail(output))
  return output
}

/** What the addon asks of a Linux machine: the newest version of each library's symbols, and what of glibc is too new. */
async function demandsOf(path) {
  const symbols = await tool('readelf', ['--dyn-syms', '--wide', path])
  const newest = (name) =>
    [...symbols.matchAll(new RegExp(` UND .*@${name}_([\\d.]+)`, 'g'))]
      .map((match) => match[1])
      .reduce((most, version) => (isOlder(most, version) ? version : most), '0.0')
  const parts = newest('GLIBCXX')
  const newer = [...symbols.matchAll(/ UND (\S+@GLIBC_([\d.]+))/g)]
    .filter(([, , version]) => isOlder(GLIBC, version))
    .map(([, name]) => name)
  return { glibc: newest('GLIBC'), glibcxx: parts, cxxabi: newest('CXXABI'), newer }
}

/** @throws SetupError where the addon would tell or need a place on this machine */
async function checkPortable(path, torch) {
  const dynamic = await tool('readelf', ['--dynamic', path])
  if (/R(?:UN)?PATH\).*\[(?!\$ORIGIN\/libtorch\])/.test(dynamic))
    throw new SetupError('the addon names a folder of this machine (rpath)')
  const bytes = readFileSync(path)
  for (const place of [root, torch.path, process.env.HOME].filter(Boolean))
    if (place.length > 1 && bytes.includes(place))
      throw new SetupError(`the addon holds a path of this machine: ${place}`)
  const { newer, ...demands } = await demandsOf(path)
  if (newer.length > 0)
    throw new SetupError(
      `the addon asks for newer functions than glibc ${GLIBC} has: ${newer.join(', ')}`,
      'scripts/setup/glibc_2_28.h names the older version of a function that has two',
    )
  return demands
}

async function packEngine(out) {
  if (!TRIED.includes(platform)) console.error(`the engine of ${platform} was never tried on such a machine`)
  const torch = process.env.LIBTORCH ? await findLibtorch() : await ownLibtorch(console.error)
  if (torch.build !== 'CPU') throw new SetupError('the package is for the CPU build of libtorch', '', 2)
  await compileEngine((text) => console.error(`  ${text}`), torch, { portable: true })
  if (process.platform === 'linux') await tool('strip', ['--strip-unneeded', addon])
  const demands = process.platform === 'linux' ? await checkPortable(addon, torch) : {}
  const built = readJson(record)
  if (!built.openmp && process.platform === 'linux')
    throw new SetupError(
      'the addon has no OpenMP: own kernels would run on one thread',
      'compile it with g++',
    )

  const folder = join(process.env.CLHA_BUILD_DIR, 'package')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  copyFileSync(addon, join(folder, 'clha.node'))
  copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  const { version: _, build: __, ...about } = built
  const facts = { ...about, libtorch: torch.version, ...demands }
  writeText(folder, 'engine.json', JSON.stringify(facts, null, 2))
  writeText(folder, 'package.json', JSON.stringify(packageOf(), null, 2))
  const tried = TRIED.includes(platform) ? '' : ` Not tried on ${platform}.`
  writeText(
    folder,
    'README.md',
    `The engine of [clha](https://www.npmjs.com/package/clha) for ${platform}, for libtorch ${torch.version}.${tried}`,
  )
  mkdirSync(out, { recursive: true })
  const name = (await tool('npm', ['pack', '--silent', '--pack-destination', out], folder)).trim()
  return { path: join(out, name.split('\n').at(-1)), demands, torch }
}

const writeText = (folder, name, text) => writeFileSync(join(folder, name), `${text}\n`)

const packageOf = () => ({
  name: enginePackage,
  version: manifest.version,
  description: `The engine of clha for ${platform}`,
  license: manifest.license,
  os: [process.platform],
  cpu: [process.arch],
  ...(process.platform === 'linux' ? { libc: ['glibc'] } : {}),
  files: ['clha.node', 'engine.json'],
})

try {
  const args = process.argv.slice(2)
  if (args[0] === '--help') console.log(HELP)
  else {
    if (args.length > 0 && (args[0] !== '--out' || args.length !== 2))
      throw new SetupError(`unknown option ${args[0]}`, HELP, 2)
    const { path, demands, torch } = await packEngine(resolve(args[1] ?? join(root, 'build/packages')))
    const asks = Object.entries(demands).map(([name, version]) => `${name} ${version}`)
    console.log(`${tilde(path)}: libtorch ${torch.version}${asks.length ? `, ${asks.join(', ')}` : ''}`)
  }
} catch (error) {
  process.exitCode = explain(error)
}
