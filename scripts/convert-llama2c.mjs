// Turns a llama2.c model (.bin, version 0) and its tokenizer (.bin) into a Hugging Face folder.
// node scripts/convert-llama2c.mjs model.bin tokenizer.bin folder
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const UNK = 0
const BOS = 1
const EOS = 2

/** Writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json and generation_config.json. */
export function convertLlama2c(modelPath, tokenizerPath, folder) {
  const { config, tensors } = readModel(readFileSync(modelPath))
  const pieces = readPieces(readFileSync(tokenizerPath), config.vocab_size)
  mkdirSync(folder, { recursive: true })
  const json = (name, value) => writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`)
  json('config.json', config)
  json('tokenizer.json', tokenizerJson(pieces))
  json('tokenizer_config.json', {
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: '<unk>',
    bos_token: '<s>',
    eos_token: '</s>',
    add_bos_token: true,
    clean_up_tokenization_spaces: false,
  })
  // Its training data has BOS between texts and no EOS.
  json('generation_config.json', { bos_token_id: BOS, eos_token_id: [BOS, EOS] })
  writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors))
}

/** Seven int32, then float32 weights in a fixed order. A negative vocabulary says that the classifier is its own. */
function readModel(data) {
  const [dim, hidden, layers, heads, kvHeads, signedVocab, positions] = Array.from({ length: 7 }, (_, i) =>
    data.readInt32LE(4 * i),
  )
  const vocab = Math.abs(signedVocab)
  const headDim = dim / heads
  let at = 28
  const take = (...shape) => {
    const bytes = 4 * shape.reduce((a, b) => a * b, 1)
    if (at + bytes > data.length) throw new Error('the model file is shorter than its header says')
    at += bytes
    return { shape, data: data.subarray(at - bytes, at) }
  }
  const perLayer = (...shape) => Array.from({ length: layers }, () => take(...shape))
  const tensors = new Map([['model.embed_tokens.weight', take(vocab, dim)]])
  const name = (rest, list) => {
    list.forEach((tensor, i) => {
      tensors.set(`model.layers.${i}.${rest}.weight`, tensor)
    })
  }
  name('input_layernorm', perLayer(dim))
  name(
    'self_attn.q_proj',
    perLayer(dim, dim).map((t) => halves(t, heads, headDim)),
  )
  name(
    'self_attn.k_proj',
    perLayer(kvHeads * headDim, dim).map((t) => halves(t, kvHeads, headDim)),
  )
  name('self_attn.v_proj', perLayer(kvHeads * headDim, dim))
  name('self_attn.o_proj', perLayer(dim, dim))
  name('post_attention_layernorm', perLayer(dim))
  name('mlp.gate_proj', perLayer(hidden, dim))
  name('mlp.down_proj', perLayer(dim, hidden))
  name('mlp.up_proj', perLayer(hidden, dim))
  tensors.set('model.norm.weight', take(dim))
  take(positions, headDim) // tables of cosines and sines that nobody reads any more
  if (signedVocab < 0) tensors.set('lm_head.weight', take(vocab, dim))
  if (at !== data.length) throw new Error(`the model file has ${data.length - at} bytes too many`)
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: vocab,
    hidden_size: dim,
    intermediate_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    max_position_embeddings: positions,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    tie_word_embeddings: signedVocab > 0,
    hidden_act: 'silu',
    bos_token_id: BOS,
    eos_token_id: EOS,
  }
  return { config, tensors }
}

/** llama2.c rotates neighbouring rows (2j, 2j + 1) of a head, Hugging Face rows j and j + headDim / 2. */
function halves({ shape, data }, heads, headDim) {
  const rowBytes = 4 * shape[1]
  const out = Buffer.alloc(data.length)
  for (let head = 0; head < heads; head++) {
    for (let j = 0; j < headDim; j++) {
      const from = head * headDim + (j < headDim / 2 ? 2 * j : 2 * (j - headDim / 2) + 1)
      data.copy(out, (head * headDim + j) * rowBytes, from * rowBytes, (from + 1) * rowBytes)
    }
  }
  return { shape, data: out }
}

function safetensors(tensors) {
  const header = {}
  let offset = 0
  for (const [name, { shape, data }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.length] }
    offset += data.length
  }
  const text = JSON.stringify(header)
  const padded = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8))
  const size = Buffer.alloc(8)
  size.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([size, padded, ...Array.from(tensors.values(), (t) => t.data)])
}

/** Longest length, then per token: score, length, bytes. Spaces stand where SentencePiece has ▁. */
function readPieces(data, vocab) {
  const pieces = []
  let at = 4
  while (at < data.length) {
    const score = data.readFloatLE(at)
    const length = data.readInt32LE(at + 4)
    pieces.push({ text: data.toString('utf8', at + 8, at + 8 + length).replaceAll(' ', '▁'), score })
    at += 8 + length
  }
  if (pieces.length !== vocab)
    throw new Error(`the tokenizer has ${pieces.length} tokens, the model ${vocab}`)
  pieces[UNK].text = '<unk>'
  pieces[BOS].text = '<s>'
  pieces[EOS].text = '</s>'
  return pieces
}

/** SentencePiece's BPE merges the pair whose result has the highest score, which is what the order of merges says. */
function mergesOf(pieces) {
  const ids = new Map(pieces.map(({ text }, id) => [text, id]))
  const merges = []
  for (const { text, score } of pieces) {
    if (/^<.+>$/.test(text)) continue
    const characters = [...text]
    const splits = characters.slice(1).map((_, i) => {
      return [characters.slice(0, i + 1).join(''), characters.slice(i + 1).join('')]
    })
    for (const pair of splits) if (pair.every((part) => ids.has(part))) merges.push({ pair, score })
  }
  return merges.sort((a, b) => b.score - a.score).map(({ pair }) => pair)
}

function tokenizerJson(pieces) {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: [UNK, BOS, EOS].map((id) => ({ id, content: pieces[id].text, ...flags })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: '▁' },
        { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: '<unk>',
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: Object.fromEntries(pieces.map(({ text }, id) => [text, id])),
      merges: mergesOf(pieces),
    },
  }
}

if (process.argv[1]?.endsWith('convert-llama2c.mjs')) {
  const [model, tokenizer, folder] = process.argv.slice(2)
  if (!folder) {
    console.error('node scripts/convert-llama2c.mjs model.bin tokenizer.bin folder')
    process.exitCode = 2
  } else convertLlama2c(model, tokenizer, folder)
}
