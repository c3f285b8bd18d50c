/** A reward model from a Hugging Face folder, whatever its architecture: a decoder with a reward head, or an encoder. */
import { join } from 'node:path'
import { usageError } from '../../errors.js'
import { type DType, noGrad, type Tensor } from '../../tensor/index.js'
import { baseFolderOf, headOfFolder, isAdapterFolder, loadModelFolder } from '../adapters/adapter-load.js'
import type { HfConfig } from '../decoder/decoder-config.js'
import type { Bits } from '../decoder/quantized.js'
import { decoderScorer, type RewardScorer } from '../decoder/reward-scorer.js'
import { debertaScorer, debertaSpecs } from '../encoder/deberta.js'
import { debertaConfig, isDeberta } from '../encoder/deberta-config.js'
import { openCheckedFiles } from './checked-files.js'
import { readHfConfig } from './load-model.js'
import { readTensor } from './read-tensor.js'

/**
 * @param dtype what the weights are widened or narrowed to
 * @param bits hold the linear maps of the blocks in 8 or 4 bits
 * @throws ClhaError (exit 2) for a language model, an encoder in so few bits, and for files and settings that do not fit, as `loadModel`
 */
export function loadRewardScorer(folder: string, dtype: DType = 'f32', bits?: Bits): RewardScorer {
  if (headOfFolder(folder) !== 'reward')
    throw usageError(`${folder}: a language model, not a reward model`, 'train one: clha reward train')
  const config = readHfConfig(baseFolderOf(folder))
  if (!isDeberta(config))
    return decoderScorer(
      loadModelFolder(folder, dtype, { mapped: true, quantized: bits && { bits, which: 'blocks' } }),
    )
  if (isAdapterFolder(folder))
    throw usageError(
      `${folder}: an adapter on a DeBERTa encoder is not computed here`,
      'merge it with PEFT (merge_and_unload) and use the merged model',
    )
  if (bits)
    throw usageError(`${folder}: a DeBERTa encoder is not held in ${bits} bits`, `remove load_in_${bits}bit`)
  return loadDeberta(folder, config, dtype)
}

/** Positions are counted here; older checkpoints store them. */
const IGNORED = /\.position_ids$/

function loadDeberta(folder: string, hfConfig: HfConfig, dtype: DType): RewardScorer {
  const config = debertaConfig(hfConfig, join(folder, 'config.json'))
  const specs = debertaSpecs(config)
  const files = openCheckedFiles(folder)
  try {
    const expected = new Set(specs.map(({ name }) => name))
    const missing = specs.find(({ name }) => !files.entries.has(name))
    if (missing)
      throw usageError(
        `${folder}: the weights lack ${missing.name}`,
        'config.json and the weights are not of the same model',
      )
    const surplus = [...files.entries.keys()].find((name) => !expected.has(name) && !IGNORED.test(name))
    if (surplus)
      throw usageError(`${folder}: the weights hold ${surplus}, which this architecture has no place for`)
    const read = (spec: (typeof specs)[number]): [string, Tensor] => [
      spec.name,
      readTensor(files, spec, spec.name, { dtype, folder, mapped: true }),
    ]
    return debertaScorer(
      config,
      noGrad(() => new Map(specs.map(read))),
    )
  } finally {
    files.close()
  }
}
