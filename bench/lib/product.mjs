// The product under test, from dist/: what a user runs.
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..')

/** A module of the product, such as `train/step`. */
export const product = (name) => import(pathToFileURL(join(root, 'dist', `${name}.js`)).href)

/** Tokens of a micro-batch when nothing is configured. */
export async function defaultMaxTokens() {
  const { parseConfig } = await product('config/load')
  return parseConfig('the benchmark', '').values.max_tokens_per_batch
}
