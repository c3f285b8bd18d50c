// A file, and so a process, of its own: the peak of everything else would be counted here.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { initModel } from '../../src/models/decoder/init.js'
import { createOptimizer } from '../../src/optim/optimizer.js'
import { createRandom } from '../../src/random.js'
import { memory, native, requiresGrad } from '../../src/tensor/index.js'
import { packStep } from '../../src/train/loop/items.js'
import { trainStep } from '../../src/train/loop/step.js'
import { Tally } from '../../src/train/loop/step-metrics.js'
import { sftObjective } from '../../src/train/objectives/objective.js'
import { answer, encoded } from '../helpers/encoded.js'

native().setThreads(1)

const [LAYERS, WIDTH, TOKENS] = [16, 128, 1200]

/** MiB of a line of /proc/self/status. */
const status = (key: string): number =>
  Number(new RegExp(`${key}:\\s+(\\d+)`).exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024

/** Whether the kernel lets a process forget its peak. */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5')
    return Math.abs(status('VmHWM') - status('VmRSS')) < 8
  } catch {
    return false
  }
}

test.skipIf(!resetPeak())(
  'a step with recomputation takes less than half of the memory that one without takes, and leaves as many tensors (needs Linux)',
  () => {
    const random = createRandom('memory')
    const ids = (n: number) => Array.from({ length: n }, () => 3 + random.int(60))
    const lists = [0, 1, 2, 3].map((i) => encoded(`${i}`, ids(100), [answer(ids(TOKENS / 4 - 99))]))
    const items = lists.map((e) => ({ encoded: e, pairs: [], sft: { index: 0, weight: 1 }, labels: [] }))
    const model = initModel(
      {
        model_type: 'llama',
        architectures: ['LlamaForCausalLM'],
        hidden_size: WIDTH,
        intermediate_size: 3 * WIDTH,
        num_hidden_layers: LAYERS,
        num_attention_heads: 4,
        vocab_size: 64,
        max_position_embeddings: 512,
        rms_norm_eps: 1e-5,
        hidden_act: 'silu',
        tie_word_embeddings: false,
      },
      1,
    )
    for (const weight of model.weights.values()) requiresGrad(weight)
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, decayOn: 'all' } as const
    const optimizer = createOptimizer(model.weights, { name: 'adamw', ...options })
    const plan = packStep(items, { maxTokens: TOKENS * 2, lastToken: false })
    const taken = (recompute: boolean) => {
      resetPeak()
      const before = status('VmRSS')
      const trainable = { model, objective: sftObjective(), recompute }
      trainStep(trainable, plan, optimizer, new Tally(), { learningRate: 1e-4, maxGradNorm: 1 })
      return status('VmHWM') - before
    }
    const [recomputed, tensors] = [taken(true), memory().tensors]
    // What was freed stays with the process, so the second step begins with what the first one took.
    const kept = recomputed + taken(false)
    expect(memory().tensors).toBe(tensors)
    expect(kept).toBeGreaterThan(100)
    expect(recomputed).toBeLessThan(kept / 2)
    optimizer.clearGradients()
    optimizer.dispose()
    model.dispose()
  },
  60_000,
)
