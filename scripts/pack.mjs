// Packs clha as it is published: without what only a checkout needs, with the engine packages as optional dependencies.
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { explain, SetupError, tail } from './setup/errors.mjs'
import { readJson } from './setup/files.mjs'
import { buildDir, root, tilde } from './setup/paths.mjs'
import { run } from './setup/run.mjs'
import { setUp } from './setup/steps.mjs'

const HELP = `node scripts/pack.mjs [--out FOLDER]

The tarball comes to lie in FOLDER, build/packages by default. scripts/prebuild.mjs makes the engine packages, one on each platform.
`
const ENGINES = ['linux-x64', 'linux-arm64', 'darwin-arm64']

/**
 * The engine packages can't stand in the checkout's own manifest: until they are published `npm ci` would have nothing to lock
 * them to. npm skips the ones of other platforms, and those that it can't get.
 */
function publishedManifest() {
  const {
    scripts: _scripts,
    devDependencies: _dev,
    files: _files,
    ...manifest
  } = readJson(join(root, 'package.json'))
  const engines = ENGINES.map((name) => [`@clha/engine-${name}`, manifest.version])
  return { ...manifest, optionalDependencies: Object.fromEntries(engines) }
}

async function pack(out) {
  await setUp({ only: ['packages', 'typescript'] })
  const stage = join(buildDir, 'pack')
  rmSync(stage, { recursive: true, force: true })
  mkdirSync(stage, { recursive: true })
  const { files } = readJson(join(root, 'package.json'))
  for (const name of [...files, 'README.md', 'LICENSE'])
    if (existsSync(join(root, name)))
      cpSync(join(root, name), join(stage, name), {
        recursive: true,
        filter: (path) => !path.endsWith('.tsbuildinfo'),
      })
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(publishedManifest(), null, 2)}\n`)
  mkdirSync(out, { recursive: true })
  const args = ['pack', '--silent', '--pack-destination', out]
  const { code, output } = await run('npm', args, { cwd: stage })
  if (code !== 0) throw new SetupError('npm pack failed', tail(output))
  rmSync(stage, { recursive: true, force: true })
  return join(out, output.trim().split('\n').at(-1))
}

try {
  const args = process.argv.slice(2)
  if (args[0] === '--help') console.log(HELP)
  else {
    if (args.length > 0 && (args[0] !== '--out' || args.length !== 2))
      throw new SetupError(`unknown option ${args[0]}`, HELP, 2)
    console.log(tilde(await pack(resolve(args[1] ?? join(root, 'build/packages')))))
  }
} catch (error) {
  process.exitCode = explain(error)
}
