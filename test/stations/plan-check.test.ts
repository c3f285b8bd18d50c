import { expect, test } from 'vitest'
import { withDefaults } from '../../src/config/defaults.js'
import { toOptions } from '../../src/config/options.js'
import { ClhaError } from '../../src/errors.js'
import { shapedModel } from '../../src/models/folders/shapes.js'
import type { Session } from '../../src/session/session.js'
import { memoryHere } from '../../src/stations/rehearse/free-memory.js'
import { beginPlan } from '../../src/stations/rehearse/plan-check.js'
import { createUi } from '../../src/terminal/ui.js'
import { sftObjective } from '../../src/train/objectives/objective.js'
import { randomItems } from '../train/tiny.js'

function sessionOf(lines: string[]): Session {
  const { values } = withDefaults({}, 'plan.yaml')
  const ui = { ...createUi(), line: (text: string) => lines.push(text) }
  return { options: toOptions(values), ui } as unknown as Session
}

const modelOf = (width: number, layers: number) =>
  shapedModel(
    {
      model_type: 'llama',
      architectures: ['LlamaForCausalLM'],
      hidden_size: width,
      intermediate_size: 3 * width,
      num_hidden_layers: layers,
      num_attention_heads: 4,
      vocab_size: 64,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-5,
      hidden_act: 'silu',
    },
    'lm',
    'f32',
  )

const planned = (model: ReturnType<typeof modelOf>) => ({
  model,
  items: randomItems(8),
  objective: sftObjective(),
  batchSize: 4,
  totalSteps: 10,
  generates: false,
})

test('a training that can never fit ends before it begins: exit 4, the numbers, and what to change', () => {
  const model = modelOf(65536, 200)
  try {
    beginPlan(sessionOf([]), planned(model))
    expect.unreachable()
  } catch (error) {
    expect(error).toBeInstanceOf(ClhaError)
    const { exitCode, message, hint } = error as ClhaError
    expect(exitCode).toBe(4)
    expect(message).toMatch(/^out of memory before it began: .* needs about .* TB .* can be had$/)
    expect(hint).toMatch(/weights .*gradients .*optimizer .*activations/)
    expect(hint).toMatch(/use_peft: true.*then about/)
  }
  model.dispose()
})

test('one line says the plan; memory that runs out later comes with advice, other errors as they are', () => {
  const lines: string[] = []
  const model = modelOf(64, 2)
  const begun = beginPlan(sessionOf(lines), planned(model))
  expect(begun.plan).toMatchObject({ fits: true, recompute: false, steps: 10 })
  begun.say(0.5)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toMatch(/^plan {5}.* of memory at most, .* can be had · 10 steps of about .* in all$/)
  const explained = begun.explain(
    new RangeError("out of memory: aten::mm: can't allocate memory"),
  ) as ClhaError
  expect(explained.exitCode).toBe(4)
  expect(explained.message).toMatch(/^out of memory: aten::mm/)
  expect(explained.hint).toMatch(/gradient_checkpointing: true|use_peft|max_tokens_per_batch/)
  const other = new TypeError('x')
  expect(begun.explain(other)).toBe(other)
  model.dispose()
})

test('the memory of the program is that of a Node with libtorch', () => {
  expect(memoryHere().program).toBeGreaterThan(1e8)
  expect(memoryHere().program).toBeLessThan(2e9)
})
