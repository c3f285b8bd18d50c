/** Which files of a repository make a model or a tokenizer. Pickles and other formats of the same weights stay there. */
import { conversionHint, isPickleName } from '../checkpoint/format/foreign-format.js'
import { usageError } from '../errors.js'
import { TOKENIZER_FILES } from '../text/tokenizer-files.js'
import type { Select } from './snapshot.js'

const WEIGHTS = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'
const ADAPTER = ['adapter_config.json', 'adapter_model.safetensors']

/** Files beside the weights. */
const SMALL = ['config.json', ...TOKENIZER_FILES, ADAPTER[0]]

/**
 * The files of a model or of a PEFT adapter: weights in safetensors, configs, tokenizer, templates.
 * @param where names the repository in errors
 * @throws ClhaError (exit 2) where there are no such weights, with the way to convert a pickle
 */
export const selectModel =
  (where: string): Select =>
  async (names, read) => {
    const has = (name: string) => names.includes(name)
    const small = [...new Set(SMALL)].filter(has)
    const beside = ADAPTER.slice(1).filter(has)
    if (has(WEIGHTS)) return [...small, WEIGHTS, ...beside]
    if (has(INDEX)) return [...small, INDEX, ...shards(where, await read(INDEX), names), ...beside]
    if (ADAPTER.every(has)) return [...small, ADAPTER[1]]
    throw noWeights(where, names)
  }

/** The files of a tokenizer, with config.json, which may say more of it. */
export const selectTokenizer =
  (where: string): Select =>
  async (names) => {
    const has = (name: string) => names.includes(name)
    if (has('tokenizer.json') || (has('vocab.json') && has('merges.txt')))
      return [...new Set(SMALL)].filter(has)
    const hint =
      'a slow tokenizer has to be saved once as a fast one: AutoTokenizer.from_pretrained(name).save_pretrained(dir)'
    throw usageError(`${where}: has no tokenizer.json`, hint)
  }

function shards(where: string, index: string, names: readonly string[]): string[] {
  let map: unknown
  try {
    map = (JSON.parse(index) as { weight_map?: unknown }).weight_map
  } catch {
    map = undefined
  }
  if (typeof map !== 'object' || map === null) throw usageError(`${where}: ${INDEX} has no "weight_map"`)
  const listed = [...new Set(Object.values(map as Record<string, unknown>).map(String))].sort()
  const missing = listed.find((name) => !names.includes(name) || !/^[^/\\]+\.safetensors$/.test(name))
  if (missing === undefined) return listed
  throw usageError(
    `${where}: ${INDEX} lists ${missing}, which is not there`,
    'the repository is not complete',
  )
}

function noWeights(where: string, names: readonly string[]): Error {
  const pickle = names.find((name) => !name.includes('/') && isPickleName(name))
  if (pickle !== undefined) {
    const pull =
      'the page of the repository may have a pull request with safetensors: model_revision: refs/pr/1'
    const own = `else fetch it with another tool; ${conversionHint(pickle)}`
    return usageError(`${where}: the weights are there only as a pickle, ${pickle}`, `${pull}\n${own}`)
  }
  const other = names.find((name) => /\.(gguf|onnx|h5|msgpack|npz|tflite)$/i.test(name))
  const found = other === undefined ? '' : `; ${other} is of another tool`
  const gguf = other?.endsWith('.gguf') ? `, or fetch ${other} and name the file` : ''
  return usageError(
    `${where}: no ${WEIGHTS} and no ${INDEX}${found}`,
    `name the repository of the original weights, in safetensors${gguf}`,
  )
}
