/** Sampled answers as further candidates: the augmentation of the paper. */
import { type Corpus, corpusOf, type ScoredCorpus } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import type { LanguageModel } from '../../load/language-model.js'
import { type AnswerNeeds, answerPrompts } from '../answer/answer.js'
import { encodeCorpus } from '../read/encode-corpus.js'
import type { FoldModel } from '../score/fold-model.js'
import { crossFittedScores, type OutsideNeeds, outsideScores } from '../score/scoring.js'
import { joinAnswers } from './join-answers.js'

/**
 * The examples with up to `count` sampled answers each, empty and repeated ones left out.
 * @param origin what the new candidates are said to come from
 */
export async function withSampled(
  session: AnswerNeeds,
  lm: LanguageModel,
  examples: readonly Example[],
  { count, origin, temperature }: { count: number; origin: string; temperature: number },
): Promise<Example[]> {
  const prompts = examples.flatMap(({ prompt }) => new Array(count).fill(prompt))
  const answers = await answerPrompts(session, lm, prompts, { label: 'sampling', temperature })
  const sampled = examples.map((_, i) =>
    answers.slice(i * count, (i + 1) * count).map((a) => ({ ...a, origin, tokens: a.ids.length })),
  )
  return joinAnswers(examples, sampled).examples
}

/** The training data with sampled answers, scored as the data itself was. */
export async function augmentScored(
  session: AnswerNeeds & OutsideNeeds,
  lm: LanguageModel,
  { scored, scorers, count }: { scored: ScoredCorpus; scorers: readonly FoldModel[]; count: number },
): Promise<ScoredCorpus> {
  if (count === 0) return scored
  const examples = await withSampled(session, lm, scored.examples, { count, origin: 'start', temperature: 1 })
  return scoreAnswers(session, lm, corpusOf(examples), scorers)
}

/**
 * Rewards by the training's own scorers: the cross-fitted ones, or the outside scorer where there are none.
 * @param lm a model whose tokens the cross-fitted ones read
 */
export async function scoreAnswers(
  session: OutsideNeeds,
  lm: LanguageModel,
  corpus: Corpus,
  scorers: readonly FoldModel[],
): Promise<ScoredCorpus> {
  if (scorers.length === 0) return (await outsideScores(session, corpus)).corpus
  return crossFittedScores(session, scorers, await encodeCorpus(session, lm, corpus, 2))
}
