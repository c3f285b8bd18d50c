/** Names on the hub become folders and files on this disk, before anything is loaded or claimed. */
import { existsSync } from 'node:fs'
import type { Options } from '../../config/options.js'
import { usageError } from '../../errors.js'
import type { Split } from '../../hub/data-files.js'
import { type HubName, hubName, nameText } from '../../hub/name.js'
import { hubBaseOf } from '../../models/adapters/adapter-load.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { isGguf } from '../../models/gguf/format/gguf-magic.js'
import type { HubEntry } from '../../runs/run-manifest.js'
import type { Ui } from '../../terminal/ui.js'
import type { FetchedPart, Fetching } from './fetch-name.js'
import { recordedEntries } from './hub-record.js'

interface Naming extends Fetching {
  /** Of a key; a name may bring its own after `@`. */
  revision?: string
}

interface Local {
  paths: string[]
  /** Of a hub name. */
  entry?: HubEntry
}

/**
 * The folder of a model: a path as it is, a GGUF file as the folder of its import, a name on the hub as the folder of its
 * files in the cache. The base that an adapter names on the hub comes with it.
 * @param what `tokenizer` fetches no weights; `adapter` leaves out the base, which is given apart
 * @throws ClhaError (exit 2): no such name, no access, no safetensors; (exit 4): no network, no room, wrong bytes
 */
export async function resolveModel(
  nameOrPath: string,
  naming: Naming,
  what: 'model' | 'tokenizer' | 'adapter' = 'model',
): Promise<{ folder: string; entries: HubEntry[] }> {
  if (isGguf(nameOrPath)) {
    const { ggufFolder } = await import('./gguf-models.js')
    return { folder: await ggufFolder(nameOrPath, naming.ui), entries: [] }
  }
  const part = what === 'tokenizer' ? 'tokenizer' : 'model'
  const fetched = (text: string, own: Naming) => resolveName(text, 'model', own, part)
  const { paths, entry } = await fetched(nameOrPath, naming)
  const base = what === 'adapter' ? undefined : baseOnHub(paths[0])
  const { entry: baseEntry } = base ? await fetched(nameText(base), { ...naming, revision: undefined }) : {}
  return { folder: paths[0], entries: [entry, baseEntry].filter((found) => found !== undefined) }
}

/** Of an adapter's folder, or of a run that trained one; undefined where nothing is there to look into. */
function baseOnHub(path: string): HubName | undefined {
  return existsSync(path) ? hubBaseOf(resolveModelFolder(path)) : undefined
}

/** The files of data: a path as it is, a name on the hub as its files in the cache. Errors as of `resolveModel`. */
export async function resolveData(nameOrPath: string, naming: Naming, split: Split): Promise<Local> {
  return resolveName(nameOrPath, 'dataset', naming, split)
}

async function resolveName(
  text: string,
  kind: HubName['kind'],
  { revision, ...naming }: Naming,
  part: FetchedPart,
): Promise<Local> {
  const name = hubName(text, kind)
  if (name === undefined) return { paths: [text] }
  // Paths are the rule: what speaks to the hub is loaded for names only.
  const { fetchName } = await import('./fetch-name.js')
  return fetchName({ ...name, revision: name.revision ?? revision }, part, naming)
}

/** Keys that name models, and those that name data with the part of it that is meant. */
const MODELS = [
  'modelNameOrPath',
  'tokenizerNameOrPath',
  'adapterNameOrPath',
  'refModel',
  'rewardModel',
  'evalRewardModel',
  'baseline',
]
/** Keys of models that need less than the whole. */
const PARTS: Record<string, 'tokenizer' | 'adapter' | undefined> = {
  tokenizerNameOrPath: 'tokenizer',
  adapterNameOrPath: 'adapter',
}
const DATA: [key: string, split: Split][] = [
  ['trainDataset', 'train'],
  ['sftDataset', 'train'],
  ['evalDataset', 'test'],
  ['prompts', 'test'],
]

/**
 * The options with every hub name replaced by what was fetched for it, and what is to be recorded of it.
 * @throws ClhaError as `resolveModel`; (exit 2) for a revision that nothing has
 */
export async function resolveHubNames<Opts extends Options>(
  options: Opts,
  ui: Ui,
): Promise<{ options: Opts; hub: HubEntry[] }> {
  const values: Record<string, unknown> = { ...options }
  const { modelNameOrPath, modelRevision, datasetRevision } = options
  const recorded = options.resumeFromCheckpoint === false ? [] : recordedEntries(options)
  const hub: HubEntry[] = []
  let datasets = 0
  const note = (entry: HubEntry | undefined) => {
    if (entry && !hub.some((e) => JSON.stringify(e) === JSON.stringify(entry))) hub.push(entry)
    if (entry?.kind === 'dataset') datasets += 1
  }
  if (modelRevision !== undefined) checkRevision('model_revision', modelNameOrPath, modelRevision)
  for (const key of MODELS) {
    const what = PARTS[key] ?? 'model'
    values[key] = await each(values[key], async (text) => {
      const revision = text === modelNameOrPath ? modelRevision : undefined
      const { folder, entries } = await resolveModel(text, { revision, ui, recorded }, what)
      entries.forEach(note)
      return [folder]
    })
  }
  for (const [key, split] of DATA) {
    values[key] = await each(values[key], async (text) => {
      const { paths, entry } = await resolveData(text, { revision: datasetRevision, ui, recorded }, split)
      note(entry)
      return paths
    })
  }
  if (datasetRevision !== undefined && datasets === 0) {
    throw usageError('dataset_revision has no effect: no data is named on the hub', 'remove it')
  }
  return { options: values as unknown as Opts, hub }
}

function checkRevision(key: string, text: string | undefined, revision: string): void {
  const name = text === undefined ? undefined : hubName(text, 'model')
  if (name === undefined) {
    const why = text === undefined ? 'there is no model_name_or_path' : `${text} is no name on the hub`
    throw usageError(`${key} has no effect: ${why}`, 'remove it')
  }
  if (name.revision !== undefined && name.revision !== revision) {
    throw usageError(`${key} ${revision}: ${text} names the revision ${name.revision}`, 'give one of them')
  }
}

/** One text or a list of them; a list stays one. */
async function each(value: unknown, resolve: (text: string) => Promise<string[]>): Promise<unknown> {
  if (typeof value === 'string') return (await resolve(value))[0]
  if (!isTexts(value)) return value
  const found: string[] = []
  for (const text of value) found.push(...(await resolve(text)))
  return found
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string')
