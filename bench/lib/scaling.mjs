// Time and memory of one training step on one list, for model sizes, lengths and numbers of answers.
import { join } from 'node:path'
import { startContender } from './contender.mjs'
import { SHAPES } from './models.mjs'
import { root } from './product.mjs'

const SIZES = ['XXS', 'XS', 'S', 'L12', 'M']
const LENGTHS = [256, 512, 1024, 2048, 4096, 8192]
const ANSWERS = [2, 4, 8]
/** Longer ones are left out and said so; the guess is low on purpose. */
const LIMIT_SECONDS = 90
const GUESSED_FLOPS = 100e9

/** Parameters that every token passes; the head sees answers only. */
const bodyOf = ({ num_hidden_layers: layers, hidden_size: d, intermediate_size: f, ...shape }) =>
  layers * (2 * d * d + (2 * d * d * shape.num_key_value_heads) / shape.num_attention_heads + 3 * d * f)

/** Half of the length is prompt, half answer. */
function guessedSeconds(shape, vocabulary, length, answers) {
  const tokens = length / 2 + (answers * length) / 2
  const head = vocabulary * shape.hidden_size * ((answers * length) / 2)
  const attention = 2 * shape.num_hidden_layers * shape.hidden_size * answers * length * length
  return (6 * (bodyOf(shape) * tokens + head) + 3 * attention) / GUESSED_FLOPS
}

export async function scaling({ data, threads, vocabulary, say }, print) {
  const rows = []
  print('size  answers  length  tokens  seconds a step  peak MiB  us a token')
  for (const size of SIZES)
    for (const answers of ANSWERS)
      for (const length of LENGTHS) {
        const row = { size, answers, length, tokens: length / 2 + (answers * length) / 2 }
        if (2 * guessedSeconds(SHAPES[size], vocabulary, length, answers) > LIMIT_SECONDS)
          row.left = 'too long'
        else Object.assign(row, await measure({ kind: 'shape', data, threads, size, answers, length }, say))
        rows.push(row)
        print(lineOf(row))
      }
  return rows
}

async function measure(spec, say) {
  say(`${spec.size}, ${spec.answers} answers, length ${spec.length}`)
  const command = [process.execPath, join(root, 'bench/worker.mjs'), JSON.stringify(spec)]
  try {
    const contender = await startContender(`${spec.size} ${spec.length}`, command)
    const { wall, peakMiB, foreign } = await contender.round(0)
    await contender.stop()
    return { seconds: wall, peakMiB, foreign }
  } catch (error) {
    return { left: error.message.split('\n')[0] }
  }
}

function lineOf({ size, answers, length, tokens, seconds, peakMiB, left }) {
  const head = `${size.padEnd(6)}${`${answers}`.padStart(7)}${`${length}`.padStart(8)}${`${tokens}`.padStart(8)}`
  if (left) return `${head}  ${left}`
  const each = (seconds / tokens) * 1e6
  return `${head}${seconds.toPrecision(3).padStart(16)}${`${Math.round(peakMiB)}`.padStart(10)}${each.toPrecision(3).padStart(12)}`
}
