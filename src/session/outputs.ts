/** Small work on files that several pipelines need. */
import { createHash } from 'node:crypto'
import { createReadStream, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Options } from '../config/options.js'
import { showConfig } from '../config/show.js'
import { writeWhole } from '../report/write.js'
import type { Needs } from './session.js'

export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

/** The resolved config beside the run, so that the folder alone says how to repeat it. */
export async function writeConfig({
  config,
  options,
}: Needs<Pick<Options, 'outputDir'>, 'config'>): Promise<void> {
  mkdirSync(options.outputDir, { recursive: true })
  await writeWhole(join(options.outputDir, 'config.yaml'), showConfig(config))
}
