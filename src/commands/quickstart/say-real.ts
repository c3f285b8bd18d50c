/** What the quickstart with a real model says at its end: habits before and after, answers side by side, and what did not work. */
import type { ScoredCorpus } from '../../data/corpus.js'
import type { AlignReport, SampleReport } from '../../report/types.js'
import type { AuditReport } from '../../rescore/audit.js'
import { duration, percent } from '../../show/units.js'
import type { Evaluation } from '../../stations/evaluate/evaluation.js'
import { type Proportion, proportion } from '../../statistics/agreement.js'
import type { Ui } from '../../terminal/ui.js'
import { isRefusal } from '../../text/refusal.js'
import { talkPrompt } from '../../world/talk/talk-prompts.js'
import { worthOf } from '../../world/talk/talk-rule.js'
import type { TalkWorld } from '../../world/talk/talk-world.js'

const SHOWN = 10

const shareText = ({ share, interval: [low, high] }: Proportion): string =>
  `${percent(share ?? 0, 0)} (${percent(low, 0)}–${percent(high, 0)})`

/** How good the reward models and the rescored order are against the rule, in plain words. */
export function judgeLines(scored: ScoredCorpus, world: TalkWorld, { truth }: AuditReport): string[] {
  const right = scored.examples.map((example, i) => {
    const [a, b] = scored.rewards[i]
    const [x, y] = world.truth(example.id).rewards
    return a > b === x > y
  })
  const judge = proportion(right.filter(Boolean).length, right.length)
  const lines = [
    `The reward models put ${shareText(judge)} of the pairs in the rule's order, without having seen the rule.`,
  ]
  if (judge.interval[0] <= 0.5)
    lines.push('That is not shown to be better than a coin: the reward models failed here.')
  if (!truth) return lines
  const { labelsRight, orderRight } = truth
  const better = (orderRight.share ?? 0) > (labelsRight.share ?? 0)
  lines.push(
    `The labels are right in ${shareText(labelsRight)} of the pairs, the rescored order in ${shareText(orderRight)}${better ? '' : ': rescoring brought nothing here'}.`,
  )
  return lines
}

interface Answered {
  prompt: string
  text: string
  ended: boolean
}

/** Counts over the greedy answers, before and after: what an average reward hides. */
export function habitLines({ scored, samples }: Evaluation): string[] {
  const answersOf = (name: string): Answered[] => {
    const system = scored.find((s) => s.name === name && s.decoding === 'greedy')
    return (system?.answers ?? []).map(({ text, finishReason }, i) => ({
      prompt: samples[i].prompt,
      text,
      ended: finishReason === 'stop',
    }))
  }
  const both = [answersOf('start'), answersOf('clha')]
  const worth = ({ prompt, text }: Answered) => worthOf(talkPrompt(prompt), text)
  const declined = ({ prompt }: Answered) => talkPrompt(prompt).kind === 'decline'
  const tell = (
    what: string,
    isGood: (a: Answered) => boolean,
    among: (a: Answered) => boolean = () => true,
  ) => {
    const [before, after] = both.map((answers) => {
      const rows = answers.filter(among)
      return `${rows.filter(isGood).length} of ${rows.length}`
    })
    return `${what}: ${before} before, ${after} after.`
  }
  const answerable = (a: Answered) => !declined(a)
  return [
    tell('On the subject', (a) => worth(a).answers > 0, answerable),
    tell('At most two sentences', (a) => worth(a).brief > 0),
    tell('Without filler', (a) => worth(a).filler === 0),
    tell('Ended by itself', ({ ended }) => ended),
    tell('Declined what should be declined', (a) => worth(a).answers > 0, declined),
    tell('Declined what should be answered', ({ text }) => isRefusal(text), answerable),
  ]
}

/** Greedy answers to the first prompts of each kind, in turn. */
export function shownSamples(samples: readonly SampleReport[]): SampleReport[] {
  const kinds = [...new Set(samples.map(({ source }) => source))]
  const turns = kinds.flatMap((kind) =>
    samples.filter(({ source }) => source === kind).map((sample, i) => ({ sample, i })),
  )
  return turns
    .sort((a, b) => a.i - b.i)
    .slice(0, SHOWN)
    .map(({ sample: { answers, ...prompt } }) => ({
      ...prompt,
      answers: answers.filter(({ system }) => system.endsWith('(greedy)')),
    }))
}

/** Answers side by side, the notes of the report, and how long each station took. */
export function sayTalk(ui: Pick<Ui, 'line'>, { notes, samples, stations }: AlignReport): void {
  ui.line('')
  for (const { prompt, answers } of samples ?? []) {
    ui.line(prompt)
    for (const { system, text } of answers)
      ui.line(`  ${system.startsWith('start') ? 'before' : 'after '}  ${text.replace(/\s+/g, ' ')}`)
  }
  ui.line('')
  for (const note of notes ?? []) ui.line(note)
  ui.line((stations ?? []).map(({ name, seconds }) => `${name} ${duration(seconds)}`).join(' · '))
}
