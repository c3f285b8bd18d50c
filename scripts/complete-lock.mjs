// Names the optional packages of every platform in package-lock.json. npm leaves out those that its registry does not
// have, and `npm ci` then refuses the lock file. Run after `npm install`; with --check it only looks (exit 8).
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './setup/paths.mjs'

const OS = [
  'aix',
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
]
const CPU = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64']
const path = join(root, 'package-lock.json')

/** `@x/binding-linux-arm-musleabihf` -> os linux, cpu arm, libc musl; null when the name tells no platform. */
export function platformOf(name) {
  const words = name.split(/[-/]/)
  const os = words.find((word) => OS.includes(word))
  const cpu = words.find((word) => CPU.includes(word))
  if (!os || !cpu) return null
  const libc = words.some((word) => word.startsWith('musl'))
    ? 'musl'
    : words.some((word) => word.startsWith('gnu'))
      ? 'glibc'
      : undefined
  return { os: [os], cpu: [cpu], ...(os === 'linux' && libc ? { libc: [libc] } : {}) }
}

/** Entries for optional dependencies that a package names by exact version, but the lock file leaves out. */
export function missingEntries(lock) {
  const missing = {}
  for (const parent of Object.values(lock.packages)) {
    for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
      const platform = platformOf(name)
      const entry = `node_modules/${name}`
      if (entry in lock.packages || !platform || !/^\d+\.\d+\.\d+/.test(version)) continue
      missing[entry] = {
        version,
        cpu: platform.cpu,
        ...(parent.dev ? { dev: true } : {}),
        ...(platform.libc ? { libc: platform.libc } : {}),
        optional: true,
        os: platform.os,
      }
    }
  }
  return missing
}

if (process.argv[1]?.endsWith('complete-lock.mjs')) {
  const lock = JSON.parse(readFileSync(path, 'utf8'))
  const missing = missingEntries(lock)
  const names = Object.keys(missing)
  if (process.argv.includes('--check')) {
    if (names.length > 0) {
      console.error(
        `package-lock.json leaves out ${names.length} optional packages of other platforms\n  node scripts/complete-lock.mjs adds them`,
      )
      process.exitCode = 8
    }
  } else {
    const sorted = Object.entries({ ...lock.packages, ...missing }).sort(([a], [b]) => (a < b ? -1 : 1))
    lock.packages = Object.fromEntries(sorted)
    if (names.length > 0) writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`)
    console.log(`${names.length} optional packages of other platforms added`)
  }
}
