/** Small work on files that several commands need. */
import { join } from 'node:path'
import { showConfig } from '../config/show.js'
import { makeFolder } from '../files/folder.js'
import { writeWhole } from '../files/whole.js'
import type { Needs } from './needs.js'

/** The resolved config beside the run, so that the folder alone says how to repeat it. */
export async function writeConfig({ config, options }: Needs<'outputDir', 'config'>): Promise<void> {
  makeFolder(options.outputDir)
  writeWhole(join(options.outputDir, 'config.yaml'), showConfig(config))
}
