/** Data that keeps what belongs together: a table whose rows are examples, whose columns what is known of each. */
import type { EncodedExample } from './encode/encoded.js'
import type { Example } from './example.js'
import type { Part } from './split.js'

/** Row i of every column belongs to example i. */
export interface Corpus {
  examples: readonly Example[]
  /** What each example is for. */
  parts: readonly Part[]
  /** Token ids of each example. */
  encoded?: readonly EncodedExample[]
  /** What `encoded` was made with: a hash of tokenizer, template and limits. No column. */
  encoding?: string
  /** Raw rewards of each example's answers [n], in the unit of the scorer. */
  rewards?: readonly number[][]
  /** The same by each of several scorers, by its name; `rewards` are then a plain mean, in units of typical gaps. */
  scores?: readonly Readonly<Record<string, readonly number[]>>[]
  /** Which of the cross-fitted scorers scored each example. */
  folds?: readonly number[]
}

export type EncodedCorpus = Corpus & Required<Pick<Corpus, 'encoded'>>
export type ScoredCorpus = Corpus & Required<Pick<Corpus, 'rewards'>>

/** Examples that are all for the same. */
export const corpusOf = (examples: readonly Example[], part: Part = 'train'): Corpus => ({
  examples,
  parts: examples.map(() => part),
})

/** The examples, each answer with its reward. */
export const rewardedExamples = ({ examples, rewards }: ScoredCorpus): Example[] =>
  examples.map((example, i) => ({
    ...example,
    candidates: example.candidates.map((candidate, k) => ({ ...candidate, reward: rewards[i][k] })),
  }))

/** The rows of these numbers, in their order, with all their columns. */
export function select<C extends Corpus>(corpus: C, rows: readonly number[]): C {
  const columns = Object.entries(corpus).map(([name, column]) => [
    name,
    Array.isArray(column) ? rows.map((row) => column[row] as unknown) : column,
  ])
  return Object.fromEntries(columns) as C
}

/** Numbers of the rows that a test holds for. */
export const rowsWhere = ({ examples }: Corpus, test: (example: Example, row: number) => boolean): number[] =>
  examples.flatMap((example, row) => (test(example, row) ? [row] : []))

/** The rows that a test holds for, in their order. */
export const where = <C extends Corpus>(corpus: C, test: (example: Example, row: number) => boolean): C =>
  select(corpus, rowsWhere(corpus, test))

/** The rows that are for one thing. */
export const partOf = <C extends Corpus>(corpus: C, part: Part): C =>
  where(corpus, (_, row) => corpus.parts[row] === part)

/** The rows that are for anything else. */
export const withoutPart = <C extends Corpus>(corpus: C, part: Part): C =>
  where(corpus, (_, row) => corpus.parts[row] !== part)

/** All rows for training, then those that choose checkpoints, then those of the evaluation. */
export const inParts = <C extends Corpus>(corpus: C): C =>
  select(
    corpus,
    PARTS.flatMap((part) => rowsWhere(corpus, (_, row) => corpus.parts[row] === part)),
  )

const PARTS: readonly Part[] = ['train', 'dev', 'test']
