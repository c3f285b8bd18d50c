/** A probe on disk: its weights, and the name of the model that it reads. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { openSafetensors } from '../../checkpoint/format/safetensors.js'
import { usageError } from '../../errors.js'
import { readJsonObject } from '../../files/json.js'
import type { Decoder } from '../decoder/decoder.js'
import { probeFrom, probeWidth } from './probe.js'

export const PROBE_CONFIG = 'reward_probe.json'
export const PROBE_WEIGHTS = 'reward_probe.safetensors'
export const PROBE_FORMAT = 'clha-reward-probe-1'
/** [2, D]: of the last token's hidden state, of the mean over the answer. */
export const PROBE_SCORE = 'score.weight'

const shape = z.object({
  format: z.literal(PROBE_FORMAT),
  base_model_name_or_path: z.string(),
  layers: z.number().int().positive(),
  /** Hash of data, start model and seed. */
  fitted_to: z.string().optional(),
  pairs: z.number().int().optional(),
  prior_scale: z.number().optional(),
  /** Agreement with labels of prompts that it was not fitted to. */
  held_out: z
    .object({ value: z.number(), low: z.number(), high: z.number(), pairs: z.number().int() })
    .optional(),
})

export type ProbeConfig = z.infer<typeof shape>

export const isProbeFolder = (folder: string): boolean => existsSync(join(folder, PROBE_CONFIG))

/** @throws ClhaError (exit 2) naming the file and the key that is wrong */
export function readProbeConfig(folder: string): ProbeConfig {
  const path = join(folder, PROBE_CONFIG)
  const read = shape.safeParse(readJsonObject(path))
  if (read.success) return read.data
  const [{ path: key, message }] = read.error.issues
  throw usageError(`${path}: ${key.join('.')}: ${message}`, 'train the probe again: clha reward train')
}

/**
 * Puts the probe of a folder on the model that it reads.
 * @param shared as `probeFrom` has it
 * @throws ClhaError (exit 2) where the two do not belong together
 */
export function loadProbe(folder: string, base: Decoder, shared = true): Decoder {
  const { layers } = readProbeConfig(folder)
  const files = openSafetensors(join(folder, PROBE_WEIGHTS))
  try {
    const wanted = [2, base.config.hiddenSize]
    const entry = files.entries.get(PROBE_SCORE)
    if (entry?.dtype !== 'F32' || entry.shape.join() !== wanted.join() || layers > base.config.layers)
      throw usageError(
        `${folder}: a probe of ${layers} layers and ${PROBE_SCORE} ${entry ? `${entry.dtype} [${entry.shape}]` : 'missing'}; ` +
          `its base has ${base.config.layers} layers and wants F32 [${wanted}]`,
        'probe and base model do not belong together',
      )
    const weights = new Float32Array(probeWidth(base.config))
    files.readInto(PROBE_SCORE, new Uint8Array(weights.buffer))
    return probeFrom(base, { layers, weights, shared })
  } finally {
    files.close()
  }
}
