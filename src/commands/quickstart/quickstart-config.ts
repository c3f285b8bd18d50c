/** The quickstart's settings: a config like any other, with what a two-core machine does in minutes. */
import type { ResolvedConfig } from '../../config/load-config.js'
import { parseConfig } from '../../config/load-config.js'

/** What differs between the starts: a tokenizer that was made, or a model that was fetched. */
type Start = { tokenizer_name_or_path: string } | { model_name_or_path: string }

/**
 * Settings of one seed's run in its own folder; what the user set on the command line wins. A run that was stopped goes on
 * where it was, a finished one only shows its report again.
 * @param settings as YAML
 */
export function quickstartConfig(
  config: ResolvedConfig,
  settings: string,
  seed: number,
  outputDir: string,
  start: Start,
): ResolvedConfig {
  const given = Object.fromEntries(
    Object.entries(config.values).filter(([key]) =>
      ['flag', 'file'].includes(config.origin[key as keyof typeof config.origin]),
    ),
  )
  const { seeds: _, real: __, ...rest } = given
  return parseConfig('quickstart', settings, {
    resume_from_checkpoint: true,
    ...rest,
    seed,
    output_dir: outputDir,
    ...start,
  })
}
