/** A wheel like PyTorch's, a few bytes or more of it, and set-up fetching it from a folder: nothing is downloaded. */
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tracked } from './children.js'

const root = new URL('../..', import.meta.url).pathname

export const header = (minor: number) =>
  `#define TORCH_VERSION_MAJOR 2\n#define TORCH_VERSION_MINOR ${minor}\n#define TORCH_VERSION_PATCH 1\n`

/** @param padding bytes in its largest library */
export function makeWheel(folder: string, version: string, padding = 0) {
  mkdirSync(folder, { recursive: true })
  const libraries = [
    'libtorch.so',
    'libtorch_cpu.so',
    'libc10.so',
    'libgomp.so.1',
    'libtorch_python.so',
    'libshm.so',
    ...(version.endsWith('+cpu') ? [] : ['libtorch_cuda.so']),
  ]
  const files: Record<string, string> = {
    [`torch-${version}.dist-info/METADATA`]: `Metadata-Version: 2.1\nName: torch\nVersion: ${version}\n`,
    [`torch-${version}.dist-info/WHEEL`]:
      'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp311-cp311-manylinux_2_28_x86_64\n',
    [`torch-${version}.dist-info/RECORD`]: '',
    'torch/__init__.py': '',
    'torch/include/torch/headeronly/version.h': header(13),
    ...Object.fromEntries(
      libraries.map((name) => [
        `torch/lib/${name}`,
        name + (name === 'libtorch_cpu.so' ? 'x'.repeat(padding) : ''),
      ]),
    ),
  }
  const code = `import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    for name, text in json.load(sys.stdin).items(): z.writestr(name, text)`
  const name = `torch-${version}-cp311-cp311-manylinux_2_28_x86_64.whl`
  execFileSync('python3', ['-c', code, join(folder, name)], { input: JSON.stringify(files) })
}

export const sumOf = (folder: string, part = '') =>
  createHash('sha256')
    .update(readFileSync(join(folder, readdirSync(folder).find((name) => name.includes(part)) as string)))
    .digest('hex')

/** An environment in which pip looks into the folder `links` only. */
export const pipEnvironment = (
  cache: string,
  links: string,
  more: Record<string, string>,
): NodeJS.ProcessEnv => ({
  ...process.env,
  PIP_CONFIG_FILE: '/dev/null',
  PIP_NO_INDEX: '1',
  PIP_FIND_LINKS: links,
  CLHA_CACHE: cache,
  CLHA_BUILD_DIR: `${cache}-build`,
  ...more,
})

/** Starts the fetch in a process of its own, with pip looking into the folder `links` only. */
export function startFetch(cache: string, links: string, more: Record<string, string> = {}, options = {}) {
  const code = `import('${root}scripts/setup/errors.mjs').then(async ({ explain }) => {
    try {
      const { provideLibtorch, describeLibtorch } = await import('${root}scripts/setup/libtorch.mjs')
      console.log(describeLibtorch(await provideLibtorch(() => {}, ${JSON.stringify(options)})))
    } catch (error) { process.exitCode = explain(error) }
  })`
  const env = pipEnvironment(cache, links, more)
  delete env.LIBTORCH
  const child = tracked(spawn(process.execPath, ['-e', code], { env, detached: true }), true)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk
    })
  }
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => {
    child.on('close', (status) => resolve({ code: status, output }))
  })
  return { child, ended }
}

export const fetchInto = (...call: Parameters<typeof startFetch>) => startFetch(...call).ended
