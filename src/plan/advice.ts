/** What to change when a training does not fit: each change with the memory that it leaves to need. */
import { memoryPlan } from './memory.js'
import { type PlanInput, planTraining, type TrainingPlan } from './plan.js'
import type { ModelShape } from './shape.js'

export interface Change {
  /** As it is written in a config. */
  setting: string
  peak: number
  /** What it costs, in a few words. */
  price: string
}

/** Rank of the adapter that is tried, on all linear maps. */
const LORA_RANK = 16

/** Changes that help, the one that needs the least memory first; those that keep the result before those that do not. */
export function changesFor(input: PlanInput, plan: TrainingPlan): Change[] {
  const found: Change[] = []
  const add = (setting: string, changed: PlanInput, price: string) => {
    const { memory } = planTraining(changed)
    if (memory.peak < plan.memory.peak * 0.98) found.push({ setting, peak: memory.peak, price })
  }
  const longest = Math.max(...input.sizes.map(({ tokens }) => tokens))
  if (!plan.recompute)
    add(
      'gradient_checkpointing: true',
      { ...input, recompute: true },
      'the same result in about a third more time',
    )
  const smaller = smallerBudget(input, plan, longest)
  if (smaller !== undefined)
    add(
      `max_tokens_per_batch: ${smaller}`,
      { ...input, recompute: plan.recompute, packing: { ...input.packing, maxTokens: smaller } },
      'the same result, somewhat slower',
    )
  if (!plan.recompute && smaller !== undefined)
    add(
      `gradient_checkpointing: true, max_tokens_per_batch: ${smaller}`,
      { ...input, recompute: true, packing: { ...input.packing, maxTokens: smaller } },
      'the same result, slower',
    )
  const exact = found.sort((a, b) => a.peak - b.peak)
  const others: Change[] = []
  const also = (setting: string, shape: ModelShape, price: string) => {
    const { peak } = planTraining({ ...input, shape }).memory
    if (peak < plan.memory.peak * 0.98) others.push({ setting, peak, price })
  }
  if (!input.shape.adapter)
    also(
      `use_peft: true, lora_r: ${LORA_RANK}`,
      withLora(input.shape),
      'an adapter is trained, not the model',
    )
  if (input.shape.width === 4 && !input.shape.bf16)
    also(
      'bf16: true',
      { ...input.shape, bf16: true },
      'products of rounded numbers; faster on some processors',
    )
  if (input.shape.width > 2)
    also(
      'dtype: bfloat16',
      { ...withWidth(input.shape, 2), bf16: false },
      'rounded weights; slower on processors without bfloat16',
    )
  return [...exact, ...others.sort((a, b) => a.peak - b.peak)]
}

/** The three to name: those that make it fit first, the mildest before the others. */
export function bestChanges(changes: readonly Change[], available: number): Change[] {
  const fits = ({ peak }: Change) => peak <= available
  return [...changes.filter(fits), ...changes.filter((c) => !fits(c)).sort((a, b) => a.peak - b.peak)].slice(
    0,
    3,
  )
}

/** Half the budget, again and again, until it fits; never below the longest list, which is a micro-batch of its own. */
function smallerBudget(input: PlanInput, plan: TrainingPlan, longest: number): number | undefined {
  let budget = Math.min(input.packing.maxTokens, plan.largest.tokens)
  let best: number | undefined
  while (budget / 2 >= Math.max(longest, 64)) {
    budget = Math.floor(budget / 2)
    best = budget
    const tried = { ...plan.largest, ...scaled(plan.largest, budget) }
    const { recompute } = plan
    const memory = memoryPlan(input.shape, tried, { ...input, recompute, accumulates: true })
    if (memory.peak <= input.available) break
  }
  return best
}

const scaled = ({ tokens, scored, keys }: TrainingPlan['largest'], budget: number) => {
  const share = budget / tokens
  return { tokens: budget, scored: scored * share, keys: keys * share }
}

/** As it would be with an adapter on all linear maps of the blocks. */
function withLora(shape: ModelShape): ModelShape {
  const { config: c, width } = shape
  const [d, f, q, k] = [c.hiddenSize, c.intermediateSize, c.heads * c.headDim, c.kvHeads * c.headDim]
  const gated = c.names.block.gate !== undefined || c.names.block.gateUp !== undefined
  const sides = [d + q, d + k, d + k, q + d, ...(gated ? [d + f] : []), d + f, f + d]
  const trained = LORA_RANK * c.layers * sides.reduce((a, b) => a + b, 0)
  const mapWidth = Math.max(4, width)
  return {
    ...shape,
    trained,
    trainedBytes: trained * mapWidth,
    weightBytes: shape.weightBytes + trained * mapWidth,
    trainedBlockMatrices: 0,
    loraNumbers: trained,
    lora: Array.from({ length: sides.length * c.layers }, () => {
      return { columns: d, r: LORA_RANK, dropout: false, width: mapWidth }
    }),
    adapter: true,
    embeddingTrained: false,
    headTrained: false,
  }
}

function withWidth(shape: ModelShape, width: number): ModelShape {
  const share = width / shape.width
  return {
    ...shape,
    width,
    weightBytes: shape.weightBytes * share,
    trainedBytes: shape.adapter ? shape.trainedBytes : shape.trainedBytes * share,
  }
}
