/** Config section: the model, its tokenizer and its numbers. */
import { z } from 'zod'
import { count, positive, text, wholeNumber } from '../../value-shapes.js'
import { modelRevision } from './revision-keys.js'

/** A model from scratch, in the names of Hugging Face's config.json; the vocabulary comes from the tokenizer. */
export const scratchModel = z.strictObject({
  hidden_size: count().describe('width of the hidden state'),
  intermediate_size: count().describe('width inside the MLP'),
  num_hidden_layers: count().describe('number of layers'),
  num_attention_heads: count().describe('number of query heads'),
  num_key_value_heads: count().optional().describe('number of key-value heads; unset: num_attention_heads'),
  head_dim: count().optional().describe('width of one head; unset: hidden_size / num_attention_heads'),
  tie_word_embeddings: z.boolean().default(true).describe('input and output embeddings are one matrix'),
  rope_theta: positive().default(10000).describe('base of the rotary angles'),
  rms_norm_eps: positive().default(1e-5).describe('epsilon of the norms'),
  max_position_embeddings: count().default(2048).describe('longest context, tokens'),
})

/** Either the mapping above or the path of a config.json. */
const modelConfig = () => z.union([scratchModel, text()])

export const modelSection = {
  model_name_or_path: text()
    .optional()
    .describe(
      'start model: a folder with config.json, *.safetensors and the tokenizer files, or a name on the hub (org/name)',
    ),
  ...modelRevision,
  adapter_name_or_path: text()
    .optional()
    .describe(
      'PEFT adapter (LoRA), a folder or a name on the hub, to put on the start model and to go on training from',
    ),
  model_config: modelConfig()
    .optional()
    .describe('start from random weights instead: a mapping of sizes, or the path of a config.json'),
  tokenizer_name_or_path: text()
    .optional()
    .describe('folder with tokenizer.json, or a name on the hub; unset: that of the model'),
  resize_embeddings: z
    .boolean()
    .default(false)
    .describe(
      'give the start model rows for ids of the tokenizer that it has no embedding for; false: an error',
    ),
  chat_template: text()
    .optional()
    .describe(
      "name of a preset (docs/rewards.md), or path of a Jinja template; unset: the tokenizer's own, else hh",
    ),
  dtype: z
    .enum(['float32', 'float64', 'bfloat16'])
    .default('float32')
    .describe('number type of the weights and of the computation'),
  load_in_8bit: z
    .boolean()
    .default(false)
    .describe(
      'hold the linear maps of the model in 8 bits, a quarter of float32: where it is only used, or stays as it is under an adapter',
    ),
  load_in_4bit: z
    .boolean()
    .default(false)
    .describe('hold them in 4 bits (NF4), an eighth of float32, instead: with use_peft this is QLoRA'),
  device: z
    .union([
      z.enum(['auto', 'cpu', 'cuda']),
      z
        .string()
        .regex(/^cuda:\d+$/)
        .meta({ examples: ['cuda:1'] }),
    ])
    .default('auto')
    .describe(
      'what computes: cpu, cuda (the first GPU), cuda:N; auto: a GPU where libtorch sees one, else the CPU',
    ),
  seed: wholeNumber().default(42).describe('seed of every random choice'),
  threads: count()
    .optional()
    .describe('CPU threads of the engine; unset: one per physical core that it may use'),
}

export { modelConfig }
