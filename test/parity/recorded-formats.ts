/** The recorded preference files: one expected result for every container and format. */
import type { Example } from '../../src/data/example.js'
import { splitTranscript } from '../../src/data/formats/hh.js'
import type { Message } from '../../src/dialogue.js'
import { json } from './parity.js'

export interface RecordedFile {
  file: string
  format: string
  rows: number
  expected: string
  /** The rows of the expected file that this file holds, where it can't hold all. */
  pairs?: number[]
}

interface Expected {
  prompt: Message[]
  chosen: string
  rejected: string
  score_chosen: number
  score_rejected: number
  text: { prompt: string; chosen: string; rejected: string }
  completion: string
  label: boolean
  completions: string[]
  rewards: number[]
}

/** What the examples of a file have to be, and what they are, in one form. */
export function compare({ file, expected, pairs }: RecordedFile, examples: Example[]) {
  const all = json<Expected[]>(`formats/${expected}`)
  const wanted = pairs ? pairs.map((i) => all[i]) : all
  if (expected === 'canonical_pairs.json') return comparePairs(wanted, examples)
  if (expected === 'canonical_unpaired.json') return compareUnpaired(wanted, examples)
  if (expected === 'canonical_listwise.json') return compareLists(wanted, examples)
  throw new Error(`${file}: ${expected} is not known here`)
}

function comparePairs(wanted: Expected[], examples: Example[]) {
  const form = (prompt: Example['prompt'], chosen: string, rejected: string, rewards: unknown[]) => ({
    prompt,
    chosen,
    rejected,
    rewards,
  })
  return {
    found: examples.map(({ prompt, candidates, preferences }) => {
      const [{ better, worse }] = preferences
      const rewards = [candidates[better].reward, candidates[worse].reward]
      return form(prompt, candidates[better].text, candidates[worse].text, rewards)
    }),
    wanted: wanted.map(({ prompt, chosen, rejected, text, score_chosen, score_rejected }, i) => {
      const hasScores = examples[i]?.candidates.some(({ reward }) => reward !== undefined)
      const rewards = hasScores ? [score_chosen, score_rejected] : [undefined, undefined]
      return typeof examples[i]?.prompt === 'string'
        ? form(text.prompt, text.chosen, text.rejected, rewards)
        : form(prompt, chosen, rejected, rewards)
    }),
  }
}

/** Literal text is an HH transcript in these files: it has to be exactly that, and nothing is trimmed before. */
function compareUnpaired(wanted: Expected[], examples: Example[]) {
  const text = (messages: Message[]) =>
    messages.map(({ role, content }) => `\n\n${role === 'user' ? 'Human' : 'Assistant'}: ${content}`).join('')
  return {
    found: examples.map(({ prompt, candidates: [{ text, desirable }] }) => ({
      prompt,
      parsed: typeof prompt === 'string' ? splitTranscript(prompt, 'full').slice(0, -1) : prompt,
      text,
      desirable,
    })),
    wanted: wanted.map(({ prompt, completion, label }, i) => {
      const literal = typeof examples[i]?.prompt === 'string'
      return {
        prompt: literal ? `${text(prompt)}\n\nAssistant:` : prompt,
        parsed: prompt,
        text: literal ? ` ${completion}` : completion,
        desirable: label,
      }
    }),
  }
}

/** Best first: by falling reward, or by the number of answers that an answer beats. */
function compareLists(wanted: Expected[], examples: Example[]) {
  const ranked = examples.map(({ candidates, preferences }) => {
    const wins = candidates.map((_, i) => preferences.filter(({ better }) => better === i).length)
    const order = candidates.map((candidate, i) => candidate.reward ?? wins[i])
    return candidates
      .map((candidate, i) => ({ ...candidate, order: order[i] }))
      .sort((a, b) => b.order - a.order)
  })
  return {
    found: examples.map(({ prompt }, i) => ({
      prompt,
      texts: ranked[i].map(({ text }) => text),
      rewards: ranked[i].map(({ reward }) => reward),
    })),
    wanted: wanted.map(({ prompt, completions, rewards }, i) => ({
      prompt,
      texts: completions,
      rewards: examples[i]?.candidates[0].reward === undefined ? rewards.map(() => undefined) : rewards,
    })),
  }
}
