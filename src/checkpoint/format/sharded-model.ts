/** A model folder in Hugging Face layout as one set of tensors: a single file, or shards with their index. */
import * as fs from 'node:fs'
import { join } from 'node:path'
import { usageError } from '../../errors.js'
import { conversionHint, isPickleName } from './foreign-format.js'
import { openSafetensors, type SafetensorsFile } from './safetensors.js'
import type { TensorEntry } from './safetensors-header.js'
import { parseHeaderJson, StrictJsonError } from './strict-header.js'
import type { TensorSource } from './tensor-source.js'

export interface ModelFiles extends TensorSource {
  /** Paths of the files that hold the tensors. */
  readonly files: readonly string[]
}

const SINGLE = 'model.safetensors'
export const INDEX = 'model.safetensors.index.json'
const DOWNLOAD_HINT = 'the folder was not fully copied or downloaded: fetch the missing parts again'

/**
 * Opens `model.safetensors`, or the shards that `model.safetensors.index.json` names, in `folder`.
 *
 * @throws ClhaError (exit 2): nothing there, a shard missing or damaged, a listed tensor absent, only a pickle there
 */
export function openModelFiles(folder: string, single = SINGLE): ModelFiles {
  const names = listFolder(folder)
  if (names.includes(single)) {
    const file = openSafetensors(join(folder, single))
    return { ...file, files: [file.path] }
  }
  if (single === SINGLE && names.includes(INDEX)) return openShards(folder, readIndex(join(folder, INDEX)))
  const pickle = names.find((name) => isPickleName(name) && (single === SINGLE || name.startsWith('adapter')))
  if (pickle !== undefined) {
    throw usageError(`${folder}: the weights are there only as a pickle, ${pickle}`, conversionHint(pickle))
  }
  if (single !== SINGLE) throw usageError(`${folder}: no ${single}`, 'fetch the adapter again')
  const adapter = names.find((name) => /^adapter_model\.(safetensors|bin)$/.test(name))
  throw usageError(
    `${folder}: no ${single} and no ${INDEX}`,
    adapter === undefined
      ? 'give a folder in Hugging Face layout with safetensors weights'
      : `${adapter} is that of an adapter, whose adapter_config.json is missing: fetch it again`,
  )
}

function listFolder(folder: string): string[] {
  try {
    return fs.readdirSync(folder).sort()
  } catch {
    throw usageError(`${folder}: no such folder`)
  }
}

/** Tensor name to shard name. */
function readIndex(path: string): Map<string, string> {
  let root: unknown
  try {
    root = parseHeaderJson(new TextDecoder('utf-8', { fatal: true }).decode(fs.readFileSync(path)))
  } catch (error) {
    const why = error instanceof StrictJsonError ? error.message : 'not readable as UTF-8'
    throw usageError(`${path}: not valid JSON: ${why}`, DOWNLOAD_HINT)
  }
  const weightMap = root instanceof Map ? root.get('weight_map') : undefined
  if (!(weightMap instanceof Map)) throw usageError(`${path}: has no "weight_map"`, DOWNLOAD_HINT)
  for (const [name, shard] of weightMap) {
    // Only a plain name: an index must not point out of its folder.
    if (typeof shard !== 'string' || !/^[^/\\]+\.safetensors$/.test(shard)) {
      throw usageError(`${path}: "${name}" names no safetensors file of this folder`)
    }
  }
  return weightMap as Map<string, string>
}

function openShards(folder: string, weightMap: Map<string, string>): ModelFiles {
  const shards = new Map<string, SafetensorsFile>()
  const close = () => {
    for (const shard of shards.values()) shard.close()
  }
  try {
    for (const shard of new Set(weightMap.values())) shards.set(shard, openShard(folder, shard))
    return joinShards(weightMap, shards, close)
  } catch (error) {
    close()
    throw error
  }
}

function openShard(folder: string, shard: string): SafetensorsFile {
  const path = join(folder, shard)
  if (!fs.existsSync(path)) throw usageError(`${path}: missing, but ${INDEX} lists it`, DOWNLOAD_HINT)
  return openSafetensors(path)
}

function joinShards(
  weightMap: Map<string, string>,
  shards: Map<string, SafetensorsFile>,
  close: () => void,
): ModelFiles {
  const entries = new Map<string, TensorEntry>()
  const owner = (name: string) => shards.get(weightMap.get(name) ?? '')
  for (const [name, shard] of weightMap) {
    const entry = owner(name)?.entries.get(name)
    if (!entry)
      throw usageError(
        `${shards.get(shard)?.path}: no tensor "${name}", but ${INDEX} places it there`,
        DOWNLOAD_HINT,
      )
    entries.set(name, entry)
  }
  const files = [...shards.values()]
  const ownerOf = (name: string) => {
    const file = owner(name)
    if (!file) throw usageError(`no tensor "${name}" in the ${files.length} shards of the model`)
    return file
  }
  return {
    entries,
    metadata: files[0]?.metadata ?? new Map<string, string>(),
    files: files.map((file) => file.path),
    readInto: (name, target, offset) => ownerOf(name).readInto(name, target, offset),
    place: (name) => ownerOf(name).place(name),
    close,
  }
}
