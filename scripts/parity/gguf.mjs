// GGUF against llama.cpp itself: `npm run test:gguf`. Fetches node-llama-cpp (npm, 85 MB unpacked), whose package holds llama.cpp's sources
// as a git bundle, into clha's cache; needs git, and a Python (PYTHON) with torch, transformers, peft, sentencepiece and numpy.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import load from '../setup/load.cjs'

const VERSION = '3.22.1'
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const folder = join(load.cacheDir, `gguf-parity-${VERSION}`)
const modules = join(folder, 'node_modules')
const binary = `@node-llama-cpp/${load.platform}`
const sources = join(folder, 'llama.cpp')
const references = join(folder, 'references')
const texts = join(folder, 'texts.json')

function run(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', cwd: load.root })
  if (error) console.error(`${command}: ${error.message}`)
  if (status !== 0) process.exit(status ?? 1)
}

mkdirSync(folder, { recursive: true })
if (!existsSync(join(modules, binary))) {
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  const packages = ['node-llama-cpp', binary].map((name) => `${name}@${VERSION}`)
  // Without scripts nothing is built or fetched beside the packages; optional ones are for other machines and for GPUs.
  run(
    'npm',
    'install',
    '--prefix',
    folder,
    '--ignore-scripts',
    '--omit=optional',
    '--no-fund',
    '--no-audit',
    ...packages,
  )
}
if (!existsSync(sources))
  run('git', 'clone', '--quiet', join(modules, 'node-llama-cpp/llama/gitRelease.bundle'), sources)
const pages = readdirSync(join(load.root, 'docs'))
  .filter((name) => name.endsWith('.md'))
  .sort()
const strings = pages.flatMap((name) => readFileSync(join(load.root, 'docs', name), 'utf8').split(/\n\n+/))
writeFileSync(texts, JSON.stringify({ strings }))

run(
  process.env.PYTHON || 'python3',
  here('i_gguf.py'),
  sources,
  join(modules, binary, 'bins', load.platform),
  references,
)
run('node', here('gguf_files.mjs'), references)
run('node', here('gguf_runtime.mjs'), references, modules, texts)
