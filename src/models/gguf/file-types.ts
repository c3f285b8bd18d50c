/** The types of whole GGUF files that are written, and which type each tensor of one gets. */
import type { DecoderConfig } from '../decoder/decoder-config.js'
import { TENSOR_TYPES, type TensorType } from './format/tensor-types.js'

/** As `--type` names them, with llama.cpp's number of the file type. */
export const FILE_TYPES = { f32: 0, f16: 1, bf16: 32, q8_0: 7, q4_k_m: 15 } as const
export type FileType = keyof typeof FILE_TYPES

const PLAIN: Readonly<Record<Exclude<FileType, 'q4_k_m'>, TensorType>> = {
  f32: 'F32',
  f16: 'F16',
  bf16: 'BF16',
  q8_0: 'Q8_0',
}

/** What a type becomes where rows are no whole blocks of 256, as llama.cpp's quantizer has it. */
const NARROWER: Partial<Record<TensorType, TensorType>> = { Q4_K: 'Q5_0', Q5_K: 'Q5_1', Q6_K: 'Q8_0' }

/** @param name in GGUF */
export function typeOf(
  name: string,
  shape: readonly number[],
  fileType: FileType,
  config: Pick<DecoderConfig, 'layers' | 'tieWordEmbeddings'>,
): TensorType {
  const isMatrix =
    shape.length > 1 && /\.(weight|lora_a|lora_b)$/.test(name) && !name.endsWith('_norm.weight')
  if (!isMatrix || name === 'position_embd.weight') return 'F32'
  const wanted = fileType === 'q4_k_m' ? mixed(name, shape, config) : PLAIN[fileType]
  const fitting = fits(wanted, shape) ? wanted : (NARROWER[wanted] ?? 'F16')
  return fits(fitting, shape) ? fitting : 'F16'
}

const fits = (type: TensorType, shape: readonly number[]): boolean =>
  (shape.at(-1) ?? 1) % TENSOR_TYPES[type].block === 0

/** Q4_K_M: more bits for the output, and for values and the MLP's way down in the layers that lose most. */
function mixed(
  name: string,
  shape: readonly number[],
  { layers, tieWordEmbeddings }: Pick<DecoderConfig, 'layers' | 'tieWordEmbeddings'>,
): TensorType {
  if (name === 'output.weight' || (tieWordEmbeddings && name === 'token_embd.weight'))
    return fits('Q4_K', shape) ? 'Q6_K' : 'Q8_0'
  const [, layer, place] = /^blk\.(\d+)\.(.+)\.weight$/.exec(name) ?? []
  if (!['attn_v', 'attn_qkv', 'ffn_down'].includes(place)) return 'Q4_K'
  return takesMore(Number(layer), layers) ? 'Q6_K' : 'Q4_K'
}

/** The first eighth of the layers, the last one, and every third between. */
function takesMore(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8)
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2
}
