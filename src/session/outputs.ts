/** Small work on files that several commands need. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { showConfig } from '../config/show.js'
import { writeWhole } from '../files/whole.js'
import type { Needs } from './needs.js'

/** The resolved config beside the run, so that the folder alone says how to repeat it. */
export async function writeConfig({ config, options }: Needs<'outputDir', 'config'>): Promise<void> {
  mkdirSync(options.outputDir, { recursive: true })
  writeWhole(join(options.outputDir, 'config.yaml'), showConfig(config))
}
