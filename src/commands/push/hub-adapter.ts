/** What a push has to know of a folder's configs: which head, and what an adapter was made for. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readJsonObject } from '../../files/json.js'
import { hubLabel } from '../../hub/cache.js'
import { hubName } from '../../hub/name.js'
import { headOfFolder, isAdapterFolder, liesBesideBase } from '../../models/adapters/adapter-load.js'
import type { RunManifest } from '../../runs/run-manifest.js'
import type { Ui } from '../../terminal/ui.js'

const ADAPTER = 'adapter_config.json'

/**
 * Whether a model writes or scores. An adapter says it by itself: its base need not be on this disk.
 * @throws ClhaError (exit 2) for a config that is not readable, and a class of transformers that is neither
 */
export function headOf(folder: string): 'lm' | 'reward' {
  if (existsSync(join(folder, 'config.json'))) return headOfFolder(folder)
  return readJsonObject(join(folder, ADAPTER)).task_type === 'SEQ_CLS' ? 'reward' : 'lm'
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
  const config = readJsonObject(join(folder, path))
  const base = baseOnHub(folder, manifest)
  if (base === undefined) {
    ui.warn(
      `${ADAPTER} names its base model by a folder: ${config.base_model_name_or_path}`,
      'others need the name of that model: say it in the card',
    )
  }
  return `${JSON.stringify({ ...config, base_model_name_or_path: base ?? '' }, null, 2)}\n`
}

/** Whether an adapter goes without its base: PEFT loads that, transformers does not. */
export const isAdapterAlone = (folder: string): boolean => isAdapterFolder(folder) && !liesBesideBase(folder)

/** The base of an adapter by its name on the hub; undefined where that is not known. */
export function baseOnHub(folder: string, manifest: RunManifest | undefined): string | undefined {
  const given = String(readJsonObject(join(folder, ADAPTER)).base_model_name_or_path ?? '')
  const [cached] = hubLabel(given) === given ? [] : hubLabel(given).split('@')
  return (
    cached ?? hubName(given, 'model')?.repo ?? manifest?.hub?.find((entry) => entry.kind === 'model')?.name
  )
}
