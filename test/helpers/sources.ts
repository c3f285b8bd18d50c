/** The current sources compiled into a folder of their own, for processes that tests kill, starve or start side by side. */
import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  verbatimModuleSyntax: true,
}

/**
 * @param entry compiles this file and what it imports, which is much sooner done; left out: all
 * @returns `<folder>/dist`, beside links to the engine and the packages: it runs as the product's own dist does
 */
export function compileSources(folder: string, entry?: string): string {
  const dist = join(folder, 'dist')
  const all = fs.readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  const wanted = entry === undefined ? undefined : importedFrom(entry)
  for (const name of all.filter((file) => !file.endsWith('.ts') || (wanted?.has(file) ?? true))) {
    const isAsset = /\.(js|css|html|svg)$/.test(name)
    if (!isAsset && (!name.endsWith('.ts') || name.endsWith('.d.ts'))) continue
    const out = join(dist, name.replace(/\.ts$/, '.js'))
    fs.mkdirSync(dirname(out), { recursive: true })
    if (isAsset) {
      fs.copyFileSync(join(ROOT, 'src', name), out)
      continue
    }
    const source = fs.readFileSync(join(ROOT, 'src', name), 'utf8')
    fs.writeFileSync(out, ts.transpileModule(source, { compilerOptions: OPTIONS }).outputText)
  }
  fs.copyFileSync(join(ROOT, 'package.json'), join(folder, 'package.json'))
  for (const name of ['build', 'node_modules', 'scripts'])
    fs.symlinkSync(join(ROOT, name), join(folder, name))
  return dist
}

/** A file below src/ and all that it imports, then or later. */
function importedFrom(entry: string): Set<string> {
  const found = new Set([entry])
  for (const file of found) {
    const source = fs.readFileSync(join(ROOT, 'src', file), 'utf8')
    for (const [, path] of source.matchAll(/(?:from|import\()\s*'(\.[^']+)\.js'/g))
      found.add(join(dirname(file), `${path}.ts`))
  }
  return found
}
