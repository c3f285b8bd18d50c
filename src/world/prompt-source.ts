/** Draws the prompts of the starter world, each once, with phrasings kept aside for dev and test. */
import type { Message } from '../dialogue.js'
import { promptKey } from '../dialogue.js'
import { usageError } from '../errors.js'
import { createRandom, type Random } from '../random.js'
import { GREETINGS, isFollowUp, questionText, WRAPPINGS, wrapQuestion } from './prompts.js'
import { type Fact, factKey, fill, TOPICS, type Topic, topicOf } from './topics.js'

export type Split = 'test' | 'dev' | 'train' | 'demonstrations'

export interface DrawnPrompt {
  fact: Fact
  messages: Message[]
}

export interface PromptSource {
  /** A prompt that was not drawn before. @throws ClhaError when the split runs out of prompts */
  draw(random: Random, split: Split): DrawnPrompt
}

/** Which phrasings of a fact a split may use: one is kept for dev, one for test. */
export function phrasingsFor(seed: number, fact: Fact, split: Split): number[] {
  const all = topicOf(fact).questions.map((_, i) => i)
  const order = createRandom(`phrasings:${seed}:${factKey(fact)}`).shuffle(all)
  if (split === 'test') return [order[0]]
  return split === 'dev' ? [order[1]] : order.slice(2)
}

export function createPromptSource(seed: number): PromptSource {
  const seen = new Set<string>()
  return {
    draw(random, split) {
      for (let tries = 0; tries < 2000; tries++) {
        const fact = random.pick(pickTopic(random).facts)
        const messages = phrase(random, seed, fact, random.pick(phrasingsFor(seed, fact, split)))
        const key = promptKey(messages)
        if (seen.has(key)) continue
        seen.add(key)
        return { fact, messages }
      }
      throw usageError(
        `the starter world has no more unseen prompts for ${split}`,
        'Ask for a smaller world.',
      )
    },
  }
}

function pickTopic(random: Random): Topic {
  let left = random.next() * TOPICS.reduce((sum, topic) => sum + topic.weight, 0)
  return TOPICS.find((topic) => {
    left -= topic.weight
    return left < 0
  })!
}

function phrase(random: Random, seed: number, fact: Fact, phrasing: number): Message[] {
  const question = questionText(fact, phrasing)
  const user = wrapQuestion(question, random.int(WRAPPINGS[0]), random.int(WRAPPINGS[1]))
  const last: Message = { role: 'user', content: user }
  if (isFollowUp(question)) return [...earlierTurns(random, seed, topicOf(fact)), last]
  const context = random.next()
  if (context < 0.78) return [last]
  if (context < 0.92) {
    const [greeting, reply] = random.pick(GREETINGS)
    return [{ role: 'user', content: greeting }, { role: 'assistant', content: reply }, last]
  }
  return [...earlierTurns(random, seed, random.pick(TOPICS.filter((topic) => !topic.harmful))), last]
}

/** A question of this topic in words of the training prompts, and its right answer. */
function earlierTurns(random: Random, seed: number, topic: Topic): Message[] {
  const fact = random.pick(topic.facts)
  const whole = phrasingsFor(seed, fact, 'train').filter((p) => !isFollowUp(questionText(fact, p)))
  const statement = fill(random.pick(topic.answers), topic, fact)
  return [
    { role: 'user', content: questionText(fact, random.pick(whole)) },
    { role: 'assistant', content: `${statement[0].toUpperCase()}${statement.slice(1)}.` },
  ]
}

/** The plainest prompt for a fact in words that no training prompt uses for it. */
export function probePrompt(seed: number, fact: Fact): Message[] {
  const [phrasing] = phrasingsFor(seed, fact, 'test')
  const last: Message = { role: 'user', content: questionText(fact, phrasing) }
  if (!isFollowUp(last.content)) return [last]
  const random = createRandom(`probe:${seed}:${factKey(fact)}`)
  return [...earlierTurns(random, seed, topicOf(fact)), last]
}
