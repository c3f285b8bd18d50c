/** Which folder holds a model: a path or the checkpoint of a run, the tokenizer that belongs to it, and its hash. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { newestValid } from '../../checkpoint/policy/resume.js'
import { readTrainingState } from '../../checkpoint/policy/state.js'
import { noCheckpointError, usageError } from '../../errors.js'
import { DiskStorage } from '../../files/storage.js'
import { baseFolderOf, isModelFolder } from '../adapters/adapter-load.js'
import { noteChecked } from './checked-files.js'

/**
 * A model folder, or the best (else the newest) checkpoint of a run folder.
 * @throws ClhaError (exit 2) for what is no folder; (exit 7) for a run without checkpoints
 */
export function resolveModelFolder(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw usageError(
      `${path}: no such model folder`,
      'give a folder on this disk, or a name on the hub: org/name, org/name@revision',
    )
  if (!found.isDirectory())
    throw usageError(
      `${path}: a file, not a model folder`,
      'give the folder that holds config.json and *.safetensors; clha import makes one of a GGUF file',
    )
  if (isModelFolder(path)) return path
  if (existsSync(join(path, 'fold-0', 'run.json'))) {
    throw usageError(
      `${path}: holds cross-fitted reward models, one in each fold-… folder`,
      `name one of them, such as ${join(path, 'fold-0')}, or train a single one with folds: 1`,
    )
  }
  if (!existsSync(join(path, 'run.json'))) return path
  const newest = newestValid(new DiskStorage(), path)
  if (!newest) throw noCheckpointError(`${path}: this run has no checkpoint yet`)
  noteChecked(newest.path, newest.manifest)
  const { bestStep } = readTrainingState(newest.path)
  const best = join(path, `checkpoint-${bestStep}`)
  return bestStep !== undefined && existsSync(best) ? best : newest.path
}
/** The tokenizer that was saved with an adapter, else the base's. */
export function tokenizerFolderOf(folder: string, adapter?: string): string {
  const own = adapter ?? folder
  return existsSync(join(own, 'tokenizer.json')) ? own : baseFolderOf(folder)
}

const FIRST =
  'config.json tokenizer.json vocab.json merges.txt model.safetensors model.safetensors.index.json'.split(' ')
const TRAINING = ['optimizer.safetensors', 'rng_state.safetensors']
const ADAPTER = /^adapter_(config\.json|model.*\.safetensors)$/

/** SHA-256 over the files that make a model: weights, config, tokenizer; of an adapter or a probe its base's too. */
export async function modelHash(folder: string): Promise<string> {
  const base = baseFolderOf(folder)
  const apart = base === folder ? undefined : await baseHash(base)
  return hashOf(folder, () => true, apart)
}

/** The same of the base that an adapter stands on: an adapter that lies beside it is no part of it. */
export const baseHash = (folder: string): Promise<string> => hashOf(folder, (name) => !ADAPTER.test(name))

/** Gigabytes are read once a process, as long as the files stay as they are. */
const known = new Map<string, Promise<string>>()

function hashOf(folder: string, wanted: (name: string) => boolean, more = ''): Promise<string> {
  const others = readdirSync(folder).filter((name) =>
    /^((adapter_config|reward_probe)\.json|.+\.safetensors)$/.test(name),
  )
  const names = [...new Set([...FIRST, ...others.sort()])].filter(
    (name) => wanted(name) && !TRAINING.includes(name) && existsSync(join(folder, name)),
  )
  const stats = names.map((name) => statSync(join(folder, name)))
  const key = JSON.stringify([folder, more, names, stats.map(({ size, mtimeMs }) => [size, mtimeMs])])
  const hash = known.get(key) ?? hashFiles(folder, names, more)
  known.set(key, hash)
  return hash
}

async function hashFiles(folder: string, names: readonly string[], more: string): Promise<string> {
  const hash = createHash('sha256')
  for (const name of names) {
    hash.update(`${name}\0`)
    for await (const chunk of createReadStream(join(folder, name), { highWaterMark: 1 << 20 }))
      hash.update(chunk as Buffer)
  }
  return hash.update(more).digest('hex')
}
