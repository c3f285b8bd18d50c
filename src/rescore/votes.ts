/** Who said what of each pair of answers: repeated rows, votes and second looks put together. */
import { answerKey } from '../data/content-key.js'
import type { Example, Vote } from '../data/example.js'
import { type PairVotes, votesOfPair } from '../data/pair-votes.js'
import { promptKey } from '../dialogue.js'
import { usageError } from '../errors.js'
import { hash64 } from '../random.js'

/**
 * Votes of each pair that somebody compared, in the order of the preferences. Transitivity is not assumed; a preference
 * that stands twice counts twice.
 * @throws ClhaError (usage) when a preference names a candidate that does not exist
 */
export function pairVotes(example: Example): PairVotes[] {
  const n = example.candidates.length
  const voted = (example.votes ?? []).map((vote) => place(vote, n))
  const told = new Set(voted)
  const single = example.preferences
    .filter((p) => !told.has(place(p, n)))
    .map((p): Vote => ({ ...p, count: 1 }))
  const out = new Map<number, { pair: PairVotes; by: Map<string, [number, number]> }>()
  // The preferences' order first, so that lists of verdicts follow the file.
  for (const { better, worse } of example.preferences) entry(out, example, better, worse)
  for (const { better, worse, count, annotator } of [...(example.votes ?? []), ...single]) {
    const { pair, by } = entry(out, example, better, worse)
    const up = better === pair.first
    if (up) pair.up += count
    else pair.down += count
    if (annotator === undefined) continue
    const own = by.get(annotator) ?? [0, 0]
    own[up ? 0 : 1] += count
    by.set(annotator, own)
  }
  return [...out.values()].map(({ pair, by }) => (by.size > 0 ? { ...pair, by } : pair))
}

const place = ({ better, worse }: { better: number; worse: number }, n: number) =>
  Math.min(better, worse) * n + Math.max(better, worse)

function entry(
  out: Map<number, { pair: PairVotes; by: Map<string, [number, number]> }>,
  example: Example,
  better: number,
  worse: number,
) {
  const n = example.candidates.length
  const known = (k: number) => Number.isInteger(k) && k >= 0 && k < n
  if (!known(better) || !known(worse) || better === worse) {
    throw usageError(
      `${example.file}:${example.row}: the preference ${better} over ${worse} does not name two of the ${n} candidates`,
      'Candidates count from 0.',
    )
  }
  const at = place({ better, worse }, n)
  const found = out.get(at)
  if (found) return found
  const pair = { first: Math.min(better, worse), second: Math.max(better, worse), up: 0, down: 0 }
  const made = { pair, by: new Map<string, [number, number]>() }
  out.set(at, made)
  return made
}

/** Net votes v[i][j] = -v[j][i]: how many more prefer i to j. */
export type NetVotes = number[][]

export function netVotes(n: number, votes: readonly PairVotes[]): NetVotes {
  const net = Array.from({ length: n }, () => new Array<number>(n).fill(0))
  for (const { first, second, up, down } of votes) {
    net[first][second] = up - down
    net[second][first] = down - up
  }
  return net
}

/** The votes of a data set, and what was seen on the way. */
export interface PooledVotes {
  /** The examples, with the votes of all rows on pairs that stand in several. */
  examples: readonly Example[]
  /** What `pairVotes` finds in each. */
  byExample: PairVotes[][]
  /** Which of them stand in an earlier row already: they are no evidence of their own. */
  repeated: boolean[][]
  /** Prompts as numbers: pairs of one prompt are one cluster. */
  prompts: Int32Array
  /** Pairs that stand in several rows. */
  pairsAgain: number
  /** Of these, so many have rows that are taken for copies of one label. */
  copies: number
}

/**
 * Puts rows together that compare the same two answers to the same prompt. Rows of one annotator, or rows without, that
 * nowhere contradict one another are copies, and no second labels: people who look twice do not always agree.
 */
export function poolVotes(examples: readonly Example[]): PooledVotes {
  const own = examples.map(pairVotes)
  const promptIds = new Map<bigint, number>()
  const prompts = new Int32Array(examples.length)
  const groups = new Map<string, Member[]>()
  for (const [i, example] of examples.entries()) {
    const keys = pairKeys(example)
    prompts[i] = promptIds.get(keys.prompt) ?? promptIds.size
    promptIds.set(keys.prompt, prompts[i])
    for (const [k, { first, second }] of own[i].entries()) {
      const { key, turned } = keys.of(first, second)
      const member = { example: i, pair: k, turned }
      const group = groups.get(key)
      if (group) group.push(member)
      else groups.set(key, [member])
    }
  }
  const pooled = merged(
    own,
    [...groups.values()].filter((group) => group.length > 1),
  )
  const told = examples.map((example, i) => withVotes(example, own[i], pooled.byExample[i]))
  return { ...pooled, examples: told, prompts }
}

/** What makes two pairs the same, whatever row they stand in: the prompt and both answers, in either order. */
export function pairKeys({ prompt, candidates }: Pick<Example, 'prompt' | 'candidates'>): {
  prompt: bigint
  of(i: number, j: number): { key: string; turned: boolean }
} {
  const asked = hash64(promptKey(prompt))
  const hashes = new Map<number, bigint>()
  const answer = (k: number) => {
    const found = hashes.get(k)
    if (found !== undefined) return found
    const hash = hash64(answerKey(candidates[k]))
    hashes.set(k, hash)
    return hash
  }
  return {
    prompt: asked,
    of(i, j) {
      const [a, b] = [answer(i), answer(j)]
      return { key: `${asked} ${a > b ? `${b} ${a}` : `${a} ${b}`}`, turned: a > b }
    },
  }
}

type Member = { example: number; pair: number; turned: boolean }

function merged(own: PairVotes[][], again: readonly Member[][]): Omit<PooledVotes, 'prompts' | 'examples'> {
  const repeated = own.map((pairs) => pairs.map(() => false))
  const byExample = own.map((pairs) => [...pairs])
  const told = again.map((group) => voicesOf(group, own))
  const torn = new Set(
    told.flatMap((voices) => [...voices].filter(([, rows]) => contradict(rows))).map(([who]) => who),
  )
  let copies = 0
  for (const [g, group] of again.entries()) {
    const voices = [...told[g]]
    const isCopied = ([who, rows]: Voice) => rows.length > 1 && !torn.has(who)
    if (voices.some(isCopied)) copies++
    const counts = voices.map((voice) => [voice[0], together(voice[1], isCopied(voice))] as const)
    for (const [k, { example, pair, turned }] of group.entries()) {
      repeated[example][pair] = k > 0
      const { first, second } = own[example][pair]
      const votes = { first, second, ...sum(counts, turned) }
      if (!sameVotes(votes, own[example][pair])) byExample[example][pair] = votes
    }
  }
  return { byExample, repeated, pairsAgain: again.length, copies }
}

type Counts = readonly [up: number, down: number]
/** Who, undefined for nobody in particular, and what each row says by them. */
type Voice = readonly [who: string | undefined, rows: Counts[]]

/** What each annotator says in the rows of a pair, all seen from the same side. */
function voicesOf(group: readonly Member[], own: readonly PairVotes[][]): Map<string | undefined, Counts[]> {
  const voices = new Map<string | undefined, Counts[]>()
  for (const { example, pair, turned } of group) {
    const { up, down, by = new Map<string, Counts>() } = own[example][pair]
    const named = [...by.values()].reduce<Counts>(([u, d], [a, b]) => [u + a, d + b], [0, 0])
    for (const [who, [u, d]] of [...by, [undefined, [up - named[0], down - named[1]]] as const]) {
      if (u + d > 0) voices.set(who, [...(voices.get(who) ?? []), turned ? [d, u] : [u, d]])
    }
  }
  return voices
}

const contradict = (rows: readonly Counts[]) => rows.some(([u, d]) => u > d) && rows.some(([u, d]) => u < d)

/** Copies say once what each of them says. */
function together(rows: readonly Counts[], areCopies: boolean): Counts {
  const add = areCopies ? Math.max : (a: number, b: number) => a + b
  return rows.reduce<Counts>(([u, d], [a, b]) => [add(u, a), add(d, b)], [0, 0])
}

function sum(counts: readonly (readonly [who: string | undefined, Counts])[], turned: boolean) {
  const seen = counts.map(([who, [u, d]]) => [who, turned ? ([d, u] as const) : ([u, d] as const)] as const)
  const by = new Map(seen.flatMap(([who, votes]) => (who === undefined ? [] : [[who, votes] as const])))
  return {
    up: seen.reduce((total, [, [u]]) => total + u, 0),
    down: seen.reduce((total, [, [, d]]) => total + d, 0),
    ...(by.size > 0 && { by }),
  }
}

function sameVotes(a: PairVotes, b: PairVotes): boolean {
  const names = [...(a.by ?? [])]
  const same = ([u, d]: Counts, [x, y]: Counts = [0, 0]) => u === x && d === y
  return (
    same([a.up, a.down], [b.up, b.down]) &&
    names.length === (b.by?.size ?? 0) &&
    names.every(([who, counts]) => same(counts, b.by?.get(who)))
  )
}

/** The example with other votes than its own written into it; itself where they are the same. */
function withVotes(example: Example, own: readonly PairVotes[], pooled: readonly PairVotes[]): Example {
  const changed = pooled.filter((pair, k) => pair !== own[k])
  if (changed.length === 0) return example
  const n = example.candidates.length
  const places = new Set(changed.map(({ first, second }) => first * n + second))
  const kept = (example.votes ?? []).filter((vote) => !places.has(place(vote, n)))
  return { ...example, votes: [...kept, ...changed.flatMap(votesOfPair)] }
}

/** The example with more votes; a pair that had its one label keeps it as a vote. */
export function withMoreVotes(example: Example, more: readonly Vote[]): Example {
  const n = example.candidates.length
  const known = new Set((example.votes ?? []).map((vote) => place(vote, n)))
  const asked = new Set(more.map((vote) => place(vote, n)))
  const labels = example.preferences
    .filter((p) => asked.has(place(p, n)) && !known.has(place(p, n)))
    .map((p): Vote => ({ ...p, count: 1 }))
  return { ...example, votes: [...(example.votes ?? []), ...labels, ...more] }
}
