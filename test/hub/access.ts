/** What the hub's functions are called with in tests: a cache of its own, a lock within the process, things noted. */
import { join } from 'node:path'
import type { HubSettings } from '../../src/hub/settings.js'
import type { HubAccess } from '../../src/hub/snapshot.js'
import { temporaryFolder } from '../helpers/folders.js'

export interface TestAccess extends HubAccess {
  warned: string[]
  /** Bytes of each bar that was begun. */
  bars: number[]
}

export function testAccess(endpoint: string, changes: Partial<HubSettings> = {}): TestAccess {
  const held = new Set<string>()
  const warned: string[] = []
  const bars: number[] = []
  const cacheDir = changes.cacheDir ?? join(temporaryFolder(), 'hub')
  return {
    settings: { endpoint, cacheDir, offline: false, timeout: 2000, tries: 4, pause: 1, ...changes },
    lock(path) {
      if (held.has(path)) return undefined
      held.add(path)
      return { release: () => held.delete(path) }
    },
    warn: (text) => warned.push(text),
    progress(total) {
      bars.push(total)
      return { update() {}, done() {} }
    },
    warned,
    bars,
  }
}
