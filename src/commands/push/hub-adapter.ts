/** What a push has to know of a folder's configs: which head, and what an adapter was made for. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hubLabel } from '../../hub/cache.js'
import { hubName } from '../../hub/name.js'
import type { RunManifest } from '../../runs/run-manifest.js'
import type { Ui } from '../../terminal/ui.js'

const ADAPTER = 'adapter_config.json'

type Json = Record<string, unknown>

const readJson = (path: string): Json => {
  try {
    return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Json) : {}
  } catch {
    return {}
  }
}

/** Whether a model writes or scores, by what its config.json or its adapter_config.json says. */
export function headOf(folder: string): 'lm' | 'reward' {
  const architectures = [readJson(join(folder, 'config.json')).architectures].flat().join()
  const scores = architectures.includes('SequenceClassification')
  return scores || readJson(join(folder, ADAPTER)).task_type === 'SEQ_CLS' ? 'reward' : 'lm'
}

/**
 * An adapter's config for others: its base by name, not by a folder of this disk; undefined for every other file.
 */
export function adapterFile(
  folder: string,
  path: string,
  manifest: RunManifest | undefined,
  ui: Ui,
): string | undefined {
  if (path !== ADAPTER) return undefined
  const config = readJson(join(folder, path))
  const given = String(config.base_model_name_or_path ?? '')
  const [cached] = hubLabel(given) === given ? [] : hubLabel(given).split('@')
  const named = hubName(given, 'model')?.repo
  const base = cached ?? named ?? manifest?.hub?.find((entry) => entry.kind === 'model')?.name
  if (base === undefined) {
    ui.warn(
      `${ADAPTER} names its base model by a folder: ${given}`,
      'others need the name of that model: say it in the card',
    )
  }
  return `${JSON.stringify({ ...config, base_model_name_or_path: base ?? '' }, null, 2)}\n`
}
