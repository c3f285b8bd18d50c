/** What a plan is made from: the model's shape, the encoded lists, the settings of the training. */
import type { EncodedExample } from '../../data/encode/encoded.js'
import type { Decoder } from '../../models/decoder/decoder.js'
import type { PlanInput } from '../../plan/plan.js'
import { modelShape } from '../../plan/shape.js'
import { sizeOf } from '../../plan/tokens.js'
import type { Session } from '../../session/session.js'
import { DTYPES } from '../../tensor/index.js'
import type { TrainItem } from '../../train/loop/items.js'
import type { Objective } from '../../train/objectives/objective.js'
import { memoryHere } from './free-memory.js'

export interface Planned {
  model: Decoder
  items: readonly TrainItem[]
  objective: Pick<Objective, 'lastToken' | 'preview'>
  batchSize: number
  totalSteps: number
  /** Answers are generated during the training. */
  generates: boolean
  /** Where the log-probabilities under the reference model are still to be computed. */
  reference?: readonly TrainItem[]
}

/** Tensors that the optimizer keeps for each weight. */
export const momentsOf = ({ optim }: Session['options']): number => (optim === 'adamw' ? 2 : 1)

export function planInput({ options }: Session, p: Planned): PlanInput {
  const { lastToken, preview } = p.objective
  const size = (encoded: EncodedExample) => sizeOf(encoded, lastToken)
  const mismatched = p.items.flatMap((item) => (item.mismatched ? [size(item.mismatched.encoded)] : []))
  const reference = p.reference?.map(({ encoded }) => size(encoded))
  const { config, dtype } = p.model
  const slot = options.maxPromptLength + options.maxNewTokens
  const cached = options.evalBatchSize * Math.min(slot, config.maxPositions)
  return {
    shape: modelShape(p.model),
    sizes: p.items.map(({ encoded }) => size(encoded)),
    packing: {
      batchSize: p.batchSize,
      totalSteps: p.totalSteps,
      seed: options.seed,
      maxTokens: options.maxTokensPerBatch,
    },
    recompute: options.gradientCheckpointing,
    moments: momentsOf(options),
    cacheBytes: p.generates
      ? 2 * cached * config.layers * config.kvHeads * config.headDim * DTYPES[dtype].bytes
      : 0,
    ...memoryHere(),
    reference:
      reference && (p.reference?.some((i) => i.mismatched) ? [...reference, ...mismatched] : reference),
    mismatched,
    previews: preview?.of === 'answers',
  }
}
