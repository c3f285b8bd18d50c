/** An adapter as the files of a PEFT folder. */
import { jsonFile, type SaveFile, safetensorsFile } from '../../checkpoint/format/save-file.js'
import type { Tensor } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { tensorsToWrite } from '../folders/save-model.js'
import { adapterTensors } from './adapter.js'
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, adapterConfigJson } from './adapter-config.js'
import { savedTie } from './adapter-targets.js'

/** adapter_config.json and adapter_model.safetensors. @throws Error for a model without an adapter */
export function adapterFiles(model: Decoder): SaveFile[] {
  const { adapter } = model
  if (!adapter) throw new Error('the model has no adapter to save')
  const config = adapterConfigJson(adapter.config, model.config.names.transposed ?? false)
  const named = adapterTensors(adapter)
  // PEFT writes an embedding that is the LM head too under both names.
  const tie = savedTie(model, adapter.config.modulesToSave)
  if (tie !== undefined)
    named.set(
      `base_model.model.${model.config.names.lmHead}.weight`,
      model.weights.get(`${tie}.weight`) as Tensor,
    )
  for (const [weight, tensor] of adapter.kept) {
    const module = weight.replace(/\.weight$/, '')
    const wrapped = adapter.maps.has(module) ? '.base_layer' : ''
    named.set(`base_model.model.${module}${wrapped}.weight`, tensor)
  }
  const tensors = [...named].sort(([a], [b]) => (a < b ? -1 : 1))
  return [
    jsonFile(ADAPTER_CONFIG, config),
    safetensorsFile(ADAPTER_WEIGHTS, tensorsToWrite(tensors), { format: 'pt' }),
  ]
}
