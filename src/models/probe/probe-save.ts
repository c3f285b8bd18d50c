/** A probe as the files of its folder. */
import { jsonFile, type SaveFile, safetensorsFile } from '../../checkpoint/format/save-file.js'
import { ops, type Tensor } from '../../tensor/index.js'
import type { Decoder } from '../decoder/decoder.js'
import { tensorsToWrite } from '../folders/save-model.js'
import { PROBE_CONFIG, PROBE_FORMAT, PROBE_SCORE, PROBE_WEIGHTS, type ProbeConfig } from './probe-folder.js'

/** reward_probe.safetensors and reward_probe.json; for a scope that lasts until they are written. */
export function probeFiles(probe: Decoder, config: Omit<ProbeConfig, 'format' | 'layers'>): SaveFile[] {
  const score = ops.to(probe.weights.get(`${probe.config.names.score}.weight`) as Tensor, 'f32')
  return [
    safetensorsFile(PROBE_WEIGHTS, tensorsToWrite([[PROBE_SCORE, score]]), { format: 'pt' }),
    jsonFile(PROBE_CONFIG, { format: PROBE_FORMAT, ...config, layers: probe.config.layers }),
  ]
}
