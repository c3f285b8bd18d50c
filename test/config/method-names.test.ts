import { describe, expect, test } from 'vitest'
import { parseConfig } from '../../src/config/load-config.js'
import { CONFIG_KEYS } from '../../src/config/schema.js'
import { showConfig } from '../../src/config/show.js'
import { actingKeys, lossesOf, METHOD_KEYS, METHOD_NAMES } from '../../src/methods/registry.js'

const values = (yaml: string) => parseConfig('my.yaml', yaml).values
const complaint = (yaml: string): string => {
  try {
    values(yaml)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

test.each(METHOD_NAMES)(
  '%s: its own defaults are valid, and what is shown reads back as the same',
  (method) => {
    const config = parseConfig('my.yaml', `method: ${method}`)
    expect(parseConfig('my.yaml', showConfig(config)).values).toEqual(config.values)
  },
)

test.each(lossesOf('dpo'))('dpo, %s: what is shown reads back as the same', (loss) => {
  const config = parseConfig('my.yaml', `method: dpo\nloss_type: ${loss}`)
  expect(parseConfig('my.yaml', showConfig(config)).values).toEqual(config.values)
})

test('the keys of the methods are known, and each is used by some method', () => {
  expect(METHOD_KEYS.filter((key) => !CONFIG_KEYS.includes(key))).toEqual([])
  const settings = [
    ...METHOD_NAMES.map((method) => ({ method })),
    ...lossesOf('dpo').map(
      (loss) => ({ method: 'dpo', loss_type: loss, f_divergence_type: 'alpha_divergence' }) as const,
    ),
    { method: 'cpo', loss_type: 'alphapo' } as const,
    { method: 'dpo', loss_type: ['sigmoid', 'bco_pair'] } as const,
  ]
  const used = new Set(settings.flatMap((s) => actingKeys(s)))
  expect(METHOD_KEYS.filter((key) => !used.has(key))).toEqual([])
})

describe('defaults', () => {
  test("are those of the method's paper", () => {
    expect(values('method: dpo')).toMatchObject({ beta: 0.1, learning_rate: 5e-7, loss_type: 'sigmoid' })
    expect(values('method: simpo')).toMatchObject({ beta: 2, simpo_gamma: 1, learning_rate: 6e-7 })
    expect(values('method: cal_dpo')).toMatchObject({ beta: 0.002 })
    expect(values('method: pro')).toMatchObject({
      sft_weight: 0.05,
      label_source: 'reward',
      learning_rate: 5e-6,
    })
    expect(values('method: rrhf')).toMatchObject({ sft_weight: 1, num_train_epochs: 3, weight_decay: 0 })
    expect(values('method: kto')).toMatchObject({ loss_type: 'kto', beta: 0.1, learning_rate: 1e-6 })
    expect(values('method: sft')).toMatchObject({ learning_rate: 2e-5 })
    expect(values('method: cpo\nloss_type: alphapo')).toMatchObject({ beta: 2, cpo_alpha: 0 })
  })

  test('of methods on labels: the labels as they stand, no SFT term, all pairs alike', () => {
    for (const method of ['dpo', 'kto', 'bco', 'simpo', 'cpo', 'orpo', 'slic_hf', 'cal_dpo'])
      expect(values(`method: ${method}`)).toMatchObject({
        label_source: 'human',
        pair_weight: 'hard',
        min_confidence: 0.5,
        sft_weight: 0,
        sft_gate: 'off',
      })
  })
})

describe('a key that has no effect is an error that says why', () => {
  test.each([
    ['method: dpo\nmargin: 2', 'only method: clha has it; this is method: dpo'],
    ['method: simpo\nmode: legacy', 'only method: clha has it'],
    ['beta: 0.3', 'method: clha does not use it'],
    ['method: dpo\nsimpo_gamma: 1', 'method: dpo, loss_type: sigmoid does not use it'],
    ['method: dpo\nloss_type: ipo\nlabel_smoothing: 0.1', 'method: dpo, loss_type: ipo does not use it'],
    ['method: dpo\nf_alpha_divergence_coef: 2', 'method: dpo, loss_type: sigmoid does not use it'],
    ['method: simpo\nref_model: x', 'method: simpo does not use it'],
    ['method: dpo\nsft_gate: soft', 'sft_weight is 0: there is no SFT term to gate'],
    ['method: coh\nsft_weight: 1', 'method: coh trains on likelihood alone'],
    ['method: bon\nlabel_source: human', 'method: bon takes the answer of the highest reward'],
    ['method: sft\nlabel_source: human', 'method: sft has no contrast'],
    ['method: sft\nlist_pairs: all', 'method: sft does not use it'],
  ])('%j', (yaml, reason) => {
    expect(complaint(yaml)).toContain(reason)
  })

  test('a loss that the method does not have', () => {
    expect(complaint('method: kto\nloss_type: ipo')).toContain(
      "can't be ipo with method: kto; there are: kto, apo_zero_unpaired",
    )
  })

  test('a mix: what each of its losses has acts in it; a mix that is none is refused', () => {
    const mix = values('method: dpo\nloss_type: [sigmoid, rpo_sq]\nloss_weights: [0.8, 0.2]\ngap_scale: 2')
    expect(mix).toMatchObject({ label_source: 'reward', label_smoothing: 0, gap_scale: 2, beta: 0.1 })
    expect(complaint('method: dpo\nloss_type: [sigmoid, bco_pair]\nloss_weights: [1]')).toContain(
      'loss_weights has 1 numbers for 2 losses',
    )
    expect(complaint('method: dpo\nloss_weights: [1]')).toContain('there is one loss')
    expect(complaint('method: dpo\nloss_type: [ipo, ipo]')).toContain('names a loss twice')
    expect(complaint('method: cpo\nloss_type: [sigmoid, hinge]')).toContain(
      'can only be one with method: cpo',
    )
    expect(complaint('method: dpo\nloss_type: [sigmoid, aot]\nuse_weighting: true')).toContain(
      'go by the whole step',
    )
    expect(complaint('method: dpo\nloss_type: [sigmoid, ipo]\nropo_alpha: 2')).toContain(
      'loss_type: sigmoid, ipo does not use it',
    )
  })

  test('what has one is accepted', () => {
    expect(values('method: sft\nsft_target: best\nlabel_source: posterior').label_source).toBe('posterior')
    expect(values('method: dpo\nf_divergence_type: alpha_divergence\nf_alpha_divergence_coef: 2').beta).toBe(
      0.1,
    )
    expect(values('method: dpo\nsft_weight: 1\nsft_gate: soft\nlabel_source: reward').sft_gate).toBe('soft')
  })
})
