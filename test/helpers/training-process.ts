/** A small training as a process: data and model in a folder, the command line on the current sources. */
import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { tracked } from './children.js'
import { compileSources } from './sources.js'

export interface Workshop {
  folder: string
  /** Arguments of `clha train` into a run folder. */
  train(dir: string, ...more: string[]): string[]
  start(args: string[], wrapper?: string[]): Started
}

export interface Started {
  child: ChildProcess
  /** Standard output and error so far. */
  text(): string
  /** Exit code, or the signal's name. */
  ended: Promise<number | string>
}

const CONFIG = `
max_length: 64
max_prompt_length: 48
dev_fraction: 0.2
learning_rate: 0.003
num_train_epochs: 2
per_device_train_batch_size: 2
gradient_accumulation_steps: 1
save_steps: 1
save_total_limit: 3
logging_steps: 1
threads: 1
method: sft
`

/** @param sizes of the model; width 32 makes about 60 thousand parameters */
export async function openWorkshop(
  folder: string,
  sizes = { hidden_size: 32, intermediate_size: 96 },
): Promise<Workshop> {
  const dist = compileSources(folder)
  const rows = Array.from({ length: 40 }, (_, i) => ({
    prompt: [{ role: 'user', content: `What is ${i} and ${i % 7}?` }],
    chosen: [{ role: 'assistant', content: `It is ${i + (i % 7)}.` }],
    rejected: [{ role: 'assistant', content: 'I will not say.' }],
    score_chosen: i % 5,
    score_rejected: -1,
  }))
  fs.writeFileSync(join(folder, 'pairs.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { saveTokenizer, trainByteLevelBpe } = await import('../../src/text/bpe-train.js')
  const texts = rows.flatMap((r) => [r.prompt[0].content, r.chosen[0].content])
  await saveTokenizer(
    join(folder, 'tokenizer'),
    trainByteLevelBpe(texts, { vocabSize: 320, specialTokens: ['<|endoftext|>'] }),
  )
  const model = { ...sizes, num_hidden_layers: 2, num_attention_heads: 2, max_position_embeddings: 64 }
  const config = `${CONFIG}
train_dataset: ${join(folder, 'pairs.jsonl')}
tokenizer_name_or_path: ${join(folder, 'tokenizer')}
model_config: ${JSON.stringify(model)}
`
  fs.writeFileSync(join(folder, 'train.yaml'), config)
  const program = join(folder, 'program.mjs')
  fs.writeFileSync(
    program,
    `import { main } from './dist/cli/main.js'\nprocess.exitCode = await main(process.argv.slice(2))\n`,
  )
  fs.accessSync(join(dist, 'cli/main.js'))
  return {
    folder,
    train: (dir, ...more) => ['train', join(folder, 'train.yaml'), '--output-dir', dir, ...more],
    start: (args, wrapper = []) => start([...wrapper, process.execPath, program, ...args]),
  }
}

function start([command, ...args]: string[]): Started {
  const child = tracked(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data: Buffer) => {
      text += data.toString()
    })
  }
  const ended = new Promise<number | string>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal ?? 'unknown'))
  })
  return { child, text: () => text, ended }
}

/** Steps of the rows of a run's log that hold a loss. */
export function loggedSteps(dir: string): number[] {
  const path = join(dir, 'metrics.jsonl')
  if (!fs.existsSync(path)) return []
  const lines = fs.readFileSync(path, 'utf8').split('\n').slice(0, -1)
  return lines.flatMap((line) => {
    const row = JSON.parse(line) as { step: number; loss?: number }
    return row.loss === undefined ? [] : [row.step]
  })
}
