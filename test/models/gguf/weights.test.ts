import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openModelFiles } from '../../../src/checkpoint/format/sharded-model.js'
import { decoderConfig } from '../../../src/models/families/families.js'
import { readHfConfig } from '../../../src/models/folders/load-model.js'
import type { FileType } from '../../../src/models/gguf/file-types.js'
import { settingsForGguf } from '../../../src/models/gguf/settings-for-gguf.js'
import { weightsForGguf } from '../../../src/models/gguf/weights-for-gguf.js'

/** What llama.cpp's own converter makes of the same folders, recorded by scripts/parity/i_gguf_tensors.py. */
const recorded = JSON.parse(readFileSync('test/fixtures/gguf/tensors.json', 'utf8')) as Record<
  string,
  Record<string, Record<string, string>>
>
const cases = Object.entries(recorded).flatMap(([model, types]) =>
  Object.keys(types).map((type) => [model, type] as const),
)

describe('tensors of an export', () => {
  it.each(cases)('%s in %s: names, types and bytes are those of the converter', (model, type) => {
    const folder = join('test/fixtures/models', model)
    const files = openModelFiles(folder)
    const config = decoderConfig(readHfConfig(folder))
    const tensors = weightsForGguf(files, config, type as FileType, folder)
    const made = tensors.map(({ name, type, bytes }) => [
      name,
      `${type} ${createHash('sha256').update(bytes()).digest('hex').slice(0, 16)}`,
    ])
    files.close()
    expect(Object.fromEntries(made)).toEqual(recorded[model][type])
  })
})

const settings = (model: string, changes: object = {}) => {
  const hf = { ...readHfConfig(join('test/fixtures/models', model)), ...changes }
  return settingsForGguf(decoderConfig(hf), hf, 'config.json')
}

/** Of heads of 8: the only one that llama.cpp computes. */
const SCALE = { query_pre_attn_scalar: 8 }

describe('what llama.cpp computes otherwise is refused', () => {
  it.each([
    ['opt', {}, 'no architecture for model_type "opt"'],
    ['llama_gqa', { hidden_act: 'relu' }, 'activation "relu"'],
    ['qwen3', { attention_bias: true }, 'attention_bias: true'],
    ['gemma2', { query_pre_attn_scalar: 7 }, 'a scale of the attention scores'],
    ['gpt2', { scale_attn_by_inverse_layer_idx: true }, 'a scale of the attention scores'],
    ['gpt_neox_parallel', { tie_word_embeddings: true }, 'tie_word_embeddings: true'],
    ['gemma2', { ...SCALE, attn_logit_softcapping: null }, 'attn_logit_softcapping: null'],
    ['gemma2', { ...SCALE, final_logit_softcapping: null }, 'final_logit_softcapping: null'],
    ['gemma3_text', { ...SCALE, attn_logit_softcapping: 20 }, 'attn_logit_softcapping: 20'],
    [
      'qwen2',
      {
        rope_parameters: {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
      },
      'rope type "llama3"',
    ],
  ])('%s with %j', (model, changes, message) => {
    expect(() => settings(model, changes)).toThrow(message)
  })

  it('a window that llama.cpp leaves out is said', () => {
    expect(settings('mistral_swa').warnings).toHaveLength(1)
    expect(settings('mistral_swa', { sliding_window: null }).warnings).toEqual([])
  })
})
