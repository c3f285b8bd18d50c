// Whether set-up has anything to do, asked at every start: sizes and times of files against the last answer, contents only where these differ.
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readJson, sha256, writeJson } from './files.mjs'
import load from './load.cjs'

const { root, buildDir, addon, record, isCheckout } = load
const stamp = join(buildDir, 'ready.json')
/** A file written in the tick of the clock in which it is looked at may change again and look the same. */
const SETTLED_MS = 2000

/** Inode, size and time of the last change: a copy, and a file set back in time, are seen too. */
function look(path, seen) {
  try {
    const { ino, size, ctimeMs } = lstatSync(path)
    seen.newest = Math.max(seen.newest, ctimeMs)
    seen.parts.push(path, String(ino), String(size), String(ctimeMs))
  } catch {
    seen.parts.push(path, 'missing')
  }
}

function lookBelow(folder, seen) {
  let entries = []
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {}
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) lookBelow(path, seen)
    else look(path, seen)
  }
}

function signature() {
  const seen = { parts: [process.version], newest: 0 }
  for (const name of ['LIBTORCH', 'CLHA_NATIVE_DIR']) seen.parts.push(process.env[name] ?? '')
  for (const folder of ['native', 'scripts/setup', ...(isCheckout ? ['src'] : [])])
    lookBelow(join(root, folder), seen)
  const files = ['package.json', 'package-lock.json', 'tsconfig.json', 'node_modules/.package-lock.json']
  for (const name of [...files, 'dist/cli/main.js']) look(join(root, name), seen)
  for (const path of [addon, record, join(buildDir, 'typescript.json')]) look(path, seen)
  // A whole libtorch is not looked through; that it has gone is what happens.
  const { libtorch } = readJson(record) ?? {}
  if (libtorch) look(join(libtorch, 'lib'), seen)
  return { hash: sha256(...seen.parts), newest: seen.newest }
}

/** Whether nothing has changed since everything was found done. */
export const nothingDue = () => {
  const seen = readJson(stamp)
  return seen !== null && seen.hash === signature().hash
}

/** Notes that everything is done; a few files too young to be trusted make the next start look again. */
export function noteNothingDue() {
  const { hash, newest } = signature()
  if (Date.now() - newest < SETTLED_MS) return
  try {
    writeJson(stamp, { hash })
  } catch {} // a folder that can't be written: the next start looks again
}

/** Whether the addon here is the one that was last found good; a copied folder has another inode. */
export function addonIsKnown() {
  const seen = { parts: [], newest: 0 }
  look(addon, seen)
  return readJson(join(buildDir, 'addon.json'))?.hash === sha256(...seen.parts)
}

export function noteAddon() {
  const seen = { parts: [], newest: 0 }
  look(addon, seen)
  try {
    writeJson(join(buildDir, 'addon.json'), { hash: sha256(...seen.parts) })
  } catch {}
}
