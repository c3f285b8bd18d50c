/** Writes a starter world as files that any preference trainer reads, and the truth beside them. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Example } from '../data/example.js'
import type { Message } from '../dialogue.js'
import { makeFolder } from '../files/folder.js'
import type { World } from './make-world.js'

const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('')

const reply = (text: string): Message[] => [{ role: 'assistant', content: text }]

/** One row per preference, in the conversational format of TRL: `prompt`, `chosen`, `rejected`. */
function preferenceRows(example: Example, preferences = example.preferences): object[] {
  return preferences.map(({ better, worse }, i) => ({
    id: preferences.length === 1 ? example.id : `${example.id}.${i + 1}`,
    prompt: example.prompt,
    chosen: reply(example.candidates[better].text),
    rejected: reply(example.candidates[worse].text),
  }))
}

const messagesRow = (example: Example): object => ({
  id: example.id,
  messages: [...(example.prompt as readonly Message[]), ...reply(example.candidates[0].text)],
})

/**
 * Files: `demonstrations.jsonl` (`messages`), `train.jsonl`, `dev.jsonl` and `test.jsonl` (`prompt`, `chosen`,
 * `rejected`; of dev and test one true pair per prompt), and `truth.json`: options, and for each example id the
 * reversed labels, the rewards and what every candidate is.
 */
export async function writeWorld(world: World, dir: string): Promise<void> {
  const truePair = (example: Example) => preferenceRows(example, example.preferences.slice(0, 1))
  const all = [...world.demonstrations, ...world.train, ...world.dev, ...world.test]
  const truth = {
    options: world.options,
    facts: world.facts,
    examples: Object.fromEntries(all.map((example) => [example.id, world.truth(example)])),
  }
  makeFolder(dir)
  await Promise.all([
    writeFile(join(dir, 'demonstrations.jsonl'), jsonLines(world.demonstrations.map(messagesRow))),
    writeFile(join(dir, 'train.jsonl'), jsonLines(world.train.flatMap((example) => preferenceRows(example)))),
    writeFile(join(dir, 'dev.jsonl'), jsonLines(world.dev.flatMap(truePair))),
    writeFile(join(dir, 'test.jsonl'), jsonLines(world.test.flatMap(truePair))),
    writeFile(join(dir, 'truth.json'), `${JSON.stringify(truth)}\n`),
  ])
}
