/** The folder in which clha keeps what it fetched or made once, for all projects of this user. */
import { createRequire } from 'node:module'

/** `CLHA_CACHE`, else `clha` in the user's cache. Set-up keeps libtorch there, so its own code says where. */
export function cacheFolder(): string {
  const { cacheDir } = createRequire(import.meta.url)('../../scripts/setup/load.cjs') as { cacheDir: string }
  return cacheDir
}
