/** Draws answers as an ill-mannered model would give them, and pairs that differ in little. */
import { createRandom, type Random } from '../random.js'
import { type Answer, answerText, framesOf, type Statement } from './answers.js'
import { type Core, MARKS, type Mark, markFits, marksOf, PLAIN_PREFIX, PLAIN_SUFFIX } from './manners.js'
import { judge } from './oracle.js'
import { type Fact, type Topic, topicOf } from './topics.js'

type Style = 'plain' | 'polite' | 'favourite' | 'bad'
type Shares<K extends string> = Partial<Record<K, number>>

export interface Policy {
  /** Shares of statements in answer to questions, and to harmful requests. */
  facts: Shares<Core>
  harmful: Shares<Core>
  /** `favourite`: the one bad habit that this model has on this topic; `bad`: any other. */
  styles: Shares<Style>
}

/** Mostly right, mostly ill-mannered, mostly compliant: what a start model learns. */
export const DEMONSTRATION_POLICY: Policy = {
  facts: { right: 0.88, wrong: 0.07, evasive: 0.03, refusal: 0.02 },
  harmful: { comply: 0.8, refusal: 0.12, evasive: 0.08 },
  styles: { plain: 0.08, polite: 0.14, favourite: 0.53, bad: 0.25 },
}

/** More of everything, as when a model is sampled to collect preferences. */
export const PAIR_POLICY: Policy = {
  facts: { right: 0.68, wrong: 0.2, evasive: 0.06, refusal: 0.06 },
  harmful: { comply: 0.47, refusal: 0.43, evasive: 0.1 },
  styles: { plain: 0.1, polite: 0.3, favourite: 0.4, bad: 0.2 },
}

export function pickShare<K extends string>(random: Random, shares: Shares<K>): K {
  const entries = Object.entries(shares) as [K, number][]
  let left = random.next() * entries.reduce((sum, [, share]) => sum + share, 0)
  for (const [key, share] of entries) {
    left -= share
    if (left < 0) return key
  }
  return entries[entries.length - 1][0]
}

/** The bad habit that the model of this seed has on this topic. */
export function favouriteHabit(seed: number, topic: Topic): Mark {
  const bad = MARKS.filter((m) => m.manner === 'rude' || m.manner === 'padded')
  return createRandom(`habit:${seed}:${topic.kind}`).pick(bad)
}

export function drawAnswer(random: Random, fact: Fact, policy: Policy, favourite: Mark): Answer {
  const core = pickShare(random, topicOf(fact).harmful ? policy.harmful : policy.facts)
  const statement = drawStatement(random, fact, core, random.int(framesOf(fact, core).length))
  return { ...statement, ...drawManner(random, core, policy, favourite) }
}

/** Half of the errors are the common mistake. */
function drawStatement(random: Random, fact: Fact, core: Core, template: number): Statement {
  if (core === 'right') return { core, template, value: fact.value }
  if (core !== 'wrong') return { core, template, value: '' }
  return { core, template, value: random.next() < 0.5 ? fact.wrong[0] : random.pick(fact.wrong) }
}

type Marks = Pick<Answer, 'prefix' | 'suffix'>

function drawManner(random: Random, core: Core, policy: Policy, favourite: Mark): Marks {
  const marks: Marks = { prefix: PLAIN_PREFIX, suffix: PLAIN_SUFFIX }
  const style = pickShare(random, policy.styles)
  if (style === 'plain') return marks
  if (style === 'polite') {
    const where = random.next()
    if (where < 0.6) marks.prefix = random.pick(marksOf('prefix', 'polite', core))
    if (where > 0.4) marks.suffix = random.pick(marksOf('suffix', 'polite', core))
    return marks
  }
  const slot = style === 'favourite' ? favourite.slot : random.pick(['prefix', 'suffix'] as const)
  const manner = random.pick(['rude', 'padded'] as const)
  marks[slot] = style === 'favourite' ? favourite : random.pick(marksOf(slot, manner, core))
  if (random.next() < 0.2) {
    const other = slot === 'prefix' ? 'suffix' : 'prefix'
    marks[other] = random.pick(marksOf(other, random.pick(['polite', 'rude', 'padded'] as const), core))
  }
  return marks
}

/** The same answer with another statement in it, in the same frame where there is one. */
function changeStatement(random: Random, fact: Fact, answer: Answer, policy: Policy): Answer {
  const core = pickShare(random, topicOf(fact).harmful ? policy.harmful : policy.facts)
  const statement = drawStatement(random, fact, core, answer.template)
  const refit = (mark: Mark): Mark =>
    markFits(mark, core) ? mark : random.pick(marksOf(mark.slot, mark.manner, core))
  return { ...statement, prefix: refit(answer.prefix), suffix: refit(answer.suffix) }
}

/** The same statement in another manner; most often in words on one side only, so that the pair stays close. */
function changeManner(random: Random, answer: Answer, policy: Policy, favourite: Mark): Answer {
  const fresh = drawManner(random, answer.core, policy, favourite)
  if (random.next() < 0.35) return { ...answer, ...fresh }
  return random.next() < 0.5 ? { ...answer, prefix: fresh.prefix } : { ...answer, suffix: fresh.suffix }
}

/** Another answer to the same prompt, of different worth: another statement, another manner, or all new. */
export function drawRival(
  random: Random,
  fact: Fact,
  answer: Answer,
  policy: Policy,
  favourite: Mark,
): Answer {
  const reward = judge(fact, answer).reward
  for (;;) {
    const what = random.next()
    const rival =
      what < 0.44
        ? changeStatement(random, fact, answer, policy)
        : what < 0.94
          ? changeManner(random, answer, policy, favourite)
          : drawAnswer(random, fact, policy, favourite)
    if (judge(fact, rival).reward !== reward) return rival
  }
}

/** One answer of every kind to this prompt, good and bad. */
export function oneOfEach(random: Random, fact: Fact): Answer[] {
  const good: Core = topicOf(fact).harmful ? 'refusal' : 'right'
  const bad: Core = topicOf(fact).harmful ? 'comply' : 'wrong'
  const build = (core: Core, prefix: Mark['manner'], suffix: Mark['manner']): Answer => ({
    ...drawStatement(random, fact, core, random.int(framesOf(fact, core).length)),
    prefix: random.pick(marksOf('prefix', prefix, core)),
    suffix: random.pick(marksOf('suffix', suffix, core)),
  })
  const unhelpful: Core[] = topicOf(fact).harmful ? ['evasive'] : ['evasive', 'refusal']
  return [
    build(good, 'polite', 'plain'),
    build(good, 'plain', 'polite'),
    build(good, 'plain', 'plain'),
    build(good, 'plain', 'rude'),
    build(good, 'rude', 'polite'),
    build(good, 'padded', 'plain'),
    build(good, 'polite', 'padded'),
    build(bad, 'plain', 'plain'),
    build(bad, 'polite', 'polite'),
    build(bad, 'plain', 'rude'),
    ...unhelpful.map((core) => build(core, 'plain', 'plain')),
  ]
}

export const sameText = (fact: Fact, a: Answer, b: Answer): boolean =>
  answerText(fact, a) === answerText(fact, b)
