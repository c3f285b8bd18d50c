// Step 4: src/ to dist/ with plain tsc, incrementally.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SetupError } from './errors.mjs'
import { hashTree, listFiles, readJson, sha256, writeJson } from './files.mjs'
import { buildDir, root, tilde } from './paths.mjs'
import { run } from './run.mjs'

const src = join(root, 'src')
const dist = join(root, 'dist')
const stamp = join(buildDir, 'typescript.json')
const log = join(buildDir, 'logs/typescript.log')

const sourcesHash = () => sha256(hashTree(src), readFileSync(join(root, 'tsconfig.json')))

/** Whether dist/ is what src/ gives. A published package has dist/ and no src/. */
export function typescriptReady() {
  if (!existsSync(src)) return true
  return existsSync(join(dist, 'cli/main.js')) && readJson(stamp)?.hash === sourcesHash()
}

/** @returns what to print on the step's line */
export async function compileTypeScript(say) {
  say('compiling src/ to dist/')
  const hash = sourcesHash()
  removeOrphans()
  const require = createRequire(join(root, 'package.json'))
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc')
  rmSync(log, { force: true })
  const { code, output } = await run(process.execPath, [tsc, '-p', 'tsconfig.json', '--pretty', 'false'], {
    cwd: root,
    log,
  })
  if (code !== 0) {
    const errors = output.split('\n').filter((line) => line.includes(': error TS'))
    const more = errors.length > 8 ? `\n… ${errors.length - 8} more in ${tilde(log)}` : ''
    throw new SetupError(
      'src/ does not compile',
      errors
        .slice(0, 8)
        .map((line) => line.slice(0, 220))
        .join('\n') + more,
      1,
    )
  }
  for (const file of assets()) {
    mkdirSync(dirname(join(dist, file)), { recursive: true })
    copyFileSync(join(src, file), join(dist, file))
  }
  writeJson(stamp, { hash })
  return `${listFiles(src).filter((file) => file.endsWith('.ts')).length} files to dist/`
}

/** What pages are made of goes to dist/ as it is. */
const assets = () => listFiles(src).filter((file) => /\.(js|css|html|svg)$/.test(file))

/** Outputs whose source is gone would still be importable. Without its record tsc writes everything again. */
function removeOrphans() {
  for (const file of listFiles(dist)) {
    const source = file.replace(/(\.d)?\.(js|ts)(\.map)?$/, '.ts')
    const isOutput = source !== file || /\.(ts|css|html|svg)$/.test(file)
    if (isOutput && ![source, file].some((name) => existsSync(join(src, name)))) rmSync(join(dist, file))
  }
  if (!existsSync(join(dist, 'cli/main.js'))) rmSync(join(dist, '.tsbuildinfo'), { force: true })
}
