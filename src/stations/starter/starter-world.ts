/** The starter world as the pipeline's data: examples, a tokenizer trained on them, and the oracle's answers. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Example } from '../../data/example.js'
import type { Message } from '../../dialogue.js'
import { sha256 } from '../../files/digest.js'
import type { RankedList } from '../../rescore/ranked.js'
import { saveTokenizer, trainByteLevelBpe } from '../../text/bpe-train.js'
import { createWorld, oracle, type World, type WorldOptions, writeWorld } from '../../world/index.js'

const VOCABULARY = 1024

export interface StarterWorld {
  world: World
  tokenizerDir: string
  /** Which of a list's labels were reversed on purpose. */
  truth(list: RankedList): boolean[]
  /** The oracle's reward of any answer. */
  trueReward(prompt: readonly Message[], answer: string): number
  /** Of its options; defaults (an annotator who errs evenly, no second labels) are left out, so that hashes of older worlds stay the same. */
  hash: string
}

/** Makes the world, writes its files and its tokenizer below `dir`. The same seed gives the same bytes. */
export async function makeStarterWorld(
  seed: number,
  dir: string,
  sizes: Omit<WorldOptions, 'seed'> = {},
): Promise<StarterWorld> {
  const world = createWorld({ ...sizes, seed })
  const data = join(dir, 'data')
  await writeWorld(world, data)
  const tokenizerDir = join(dir, 'tokenizer')
  if (!existsSync(join(tokenizerDir, 'tokenizer.json'))) {
    const texts = [...world.demonstrations, ...world.train].flatMap(dialogues)
    await saveTokenizer(
      tokenizerDir,
      trainByteLevelBpe(texts, { vocabSize: VOCABULARY, specialTokens: ['<|endoftext|>'] }),
    )
  }
  return {
    world,
    tokenizerDir,
    truth: (list) => world.truth(list.example).flipped,
    trueReward: (prompt, answer) => oracle(prompt as Message[], answer).reward,
    hash: sha256(
      JSON.stringify(world.options, (key, value) =>
        (key === 'annotator' && value === 'even') || (key === 'secondLabels' && value === 0)
          ? undefined
          : value,
      ),
    ),
  }
}

/** What the model will read of an example, in the dialogue format without a template of its own. */
function dialogues({ prompt, candidates }: Example): string[] {
  const turns = (prompt as readonly Message[]).map(
    (m) => `\n\n${m.role === 'user' ? 'Human' : 'Assistant'}: ${m.content}`,
  )
  return candidates.map((c) => `${turns.join('')}\n\nAssistant: ${c.text}`)
}
