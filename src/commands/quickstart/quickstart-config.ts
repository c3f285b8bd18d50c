/** The quickstart's settings: a config like any other, with what a two-core machine does in minutes. */
import type { ResolvedConfig } from '../../config/load-config.js'
import { parseConfig } from '../../config/load-config.js'
import { QUICKSTART_SETTINGS } from '../../stations/read/starter-settings.js'

/**
 * Settings of one seed's run in its own folder; what the user set on the command line wins. A run that was stopped goes on
 * where it was, a finished one only shows its report again.
 */
export function quickstartConfig(
  config: ResolvedConfig,
  seed: number,
  outputDir: string,
  tokenizerDir: string,
): ResolvedConfig {
  const given = Object.fromEntries(
    Object.entries(config.values).filter(([key]) =>
      ['flag', 'file'].includes(config.origin[key as keyof typeof config.origin]),
    ),
  )
  const { seeds: _, ...rest } = given
  return parseConfig('quickstart', QUICKSTART_SETTINGS, {
    resume_from_checkpoint: true,
    ...rest,
    seed,
    output_dir: outputDir,
    tokenizer_name_or_path: tokenizerDir,
  })
}
