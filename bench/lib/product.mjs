// The product under test, from dist/: what a user runs.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** A module of the product, such as `train/loop/step`. */
export const product = (name) => import(pathToFileURL(join(root, 'dist', `${name}.js`)).href)

/**
 * The product set up as a user's config does it: device and threads set, defaults as they suit the device.
 * @param spec.device `cpu` or `cuda`; the other keys are the config's own where they are set
 * @throws ClhaError for a GPU that is not there
 */
export async function sessionOf({ device = 'cpu', dtype, bf16, maxTokens, threads }) {
  const { parseConfig } = await product('config/load-config')
  const { openSession } = await product('session/session')
  const config = JSON.stringify({ device, dtype, bf16, max_tokens_per_batch: maxTokens, threads })
  return openSession(parseConfig('the benchmark', config), { line() {} })
}
