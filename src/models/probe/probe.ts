/**
 * A linear probe as reward model: the lower blocks of a trained decoder, which stay as they are, and a linear map of their
 * hidden states at an answer's last token and on average over the answer (Alain and Bengio, arXiv 1610.01644). A decoder like
 * any other: it scores through the same forward.
 */
import type { PackedBatch } from '../../data/encode/pack.js'
import { fromData, noGrad, ops, scope, type Tensor } from '../../tensor/index.js'
import { borrowing } from '../decoder/borrowed.js'
import { assembleDecoder, type Decoder, decode } from '../decoder/decoder.js'
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { answerStates } from '../decoder/pooling.js'
import { requireWideWeights } from '../decoder/quantized.js'
import { streamOf } from '../decoder/score.js'
import { rewardConfig } from '../families/families.js'
import { weightSpecs } from '../folders/weights.js'

/** What a block three quarters up knows of a text speaks for it better than the last one's, which is about the next token. */
export const probedLayers = ({ layers }: DecoderConfig): number => Math.max(1, Math.floor((3 * layers) / 4))

/** Numbers that a probe of these blocks reads of an answer: of its last token, and of the mean over it. */
export const probeWidth = ({ hiddenSize }: DecoderConfig): number => 2 * hiddenSize

export interface ProbeOptions {
  /** Blocks that are run. */
  layers: number
  /** Weights of the last token's hidden state, then of the mean, [2 D]; zeros when left out. */
  weights?: Float32Array
  /** Take the blocks themselves, not a copy: for a model that nobody trains; `model` has to outlive the probe. */
  shared?: boolean
}

/** @throws ClhaError (exit 2) for a copy of weights in 8 or 4 bits */
export function probeFrom(model: Decoder, { layers, weights, shared = false }: ProbeOptions): Decoder {
  if (!shared) requireWideWeights(model, 'a probe of a model that is trained takes a copy of them')
  const config = probedConfig(model.config, layers)
  const head = `${config.names.score}.weight`
  const score = weights ?? new Float32Array(probeWidth(config))
  const own = weightSpecs(config, 'reward').filter(({ name }) => name !== head)
  const held = noGrad(() => own.map(({ name }): [string, Tensor] => [name, heldBy(model, name, shared)]))
  const placed = noGrad(() => scope(() => ops.to(fromData(score, [2, config.hiddenSize]), model.dtype)))
  const names = new Set(own.map(({ name }) => name))
  const probe = assembleDecoder({
    config,
    head: 'reward',
    hfConfig: rewardConfig(model.hfConfig),
    weights: new Map([...held, [head, placed]]),
    dtype: model.dtype,
    scales: new Map([...model.scales].filter(([name]) => names.has(name))),
  })
  return shared ? borrowing(probe, model) : probe
}

function heldBy({ weights }: Decoder, name: string, shared: boolean): Tensor {
  const weight = weights.get(name) as Tensor
  return shared ? weight : ops.clone(weight)
}

/** The lower blocks, whose output is read as it is: without the last norm and projection. */
const probedConfig = (config: DecoderConfig, layers: number): DecoderConfig => ({
  ...config,
  layers,
  layerKinds: config.layerKinds.slice(0, layers),
  bias: { ...config.bias, score: false },
  pooling: 'lastAndMean',
  names: { ...config.names, finalNorm: undefined, projectOut: undefined },
})

/** What the probe's reward is linear in, for each candidate of a batch that was packed with `lastToken`: [C, 2 D]. */
export const probeStates = (probe: Decoder, batch: PackedBatch): Tensor =>
  answerStates(decode(probe, streamOf(batch)), batch)
