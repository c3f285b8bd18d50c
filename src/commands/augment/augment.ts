/** `clha augment`: further answers to the prompts of a data set, as candidates beside those that it has. */
import { join } from 'node:path'
import { checkIdle, GENERATE_KEYS } from '../../config/idle-keys.js'
import type { SectionOptions } from '../../config/options.js'
import { corpusOf, rewardedExamples } from '../../data/corpus.js'
import type { Example } from '../../data/example.js'
import type { ReadFault } from '../../data/read/row-fault.js'
import { writeExamples } from '../../data/write/write-examples.js'
import { usageError } from '../../errors.js'
import { requireFreeTargets } from '../../files/targets.js'
import { writeWhole } from '../../files/whole.js'
import { openGenerationEndpoint } from '../../generate/endpoint.js'
import { hubLabel } from '../../hub/cache.js'
import { loadStartModel } from '../../load/language-model.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { inOutputDir } from '../../session/claim.js'
import { required } from '../../session/needs.js'
import { writeConfig } from '../../session/outputs.js'
import { type Session, withSession } from '../../session/session.js'
import { sayingStop } from '../../session/stopped.js'
import { amount, figure } from '../../show/units.js'
import { dataRead } from '../../stations/read/data-read.js'
import { loadData } from '../../stations/read/load-data.js'
import { joinAnswers } from '../../stations/sample/join-answers.js'
import {
  type Sampled,
  type Sampling,
  sampleFromEndpoint,
  sampleLocally,
} from '../../stations/sample/sample-answers.js'
import { secretOf } from '../../stations/score/endpoint-scores.js'
import { requireOneScorer } from '../../stations/score/one-scorer.js'
import { hasColumnScores, hasOutsideScorer, outsideScores } from '../../stations/score/scoring.js'
import type { Ui } from '../../terminal/ui.js'
import { sayLeftOut } from '../left-out.js'
import type { Pipeline } from '../pipeline-spec.js'
import { readAnswersFile } from './answers-file.js'
import { sayCounts } from './say-augment.js'

export interface AugmentResult {
  outputFile: string
  /** Lists in the file. */
  rows: number
  /** Answers that were wanted; equal prompts count once. */
  asked: number
  /** Those that an earlier run had. */
  known: number
  refused: number
  /** Answers by row, and what became of them. */
  answers: number
  empty: number
  duplicates: { data: number; sampled: number }
  cut: number
  kept: number
  /** New ones of rows that are left out of the file. */
  unwritten: number
  /** Generated tokens. */
  tokens: number
}

export const augment: Pipeline<AugmentResult, 'train_dataset'> = withSession((session) =>
  inOutputDir(session.options, false, () => augmentIn(session)),
)

async function augmentIn(session: Session<'train_dataset'>): Promise<AugmentResult> {
  const { options, ui } = session
  const outputFile = options.outputFile ?? join(options.outputDir, 'augmented.jsonl')
  requireFreeTargets([outputFile], await dataRead(options, ['trainDataset', 'answersFile']))
  const { examples } = await loadData(session, options.trainDataset, 0)
  if (examples.length === 0) throw usageError('train_dataset holds no prompt')
  requireOneUnit(session, examples)
  await writeConfig(session)
  const sampled = await answersOf(session, examples)
  const { examples: joined, counts: came } = joinAnswers(examples, sampled.answers)
  if (!hasOutsideScorer(options)) requireSameRewards(examples, joined)
  const scored = await withRewards(session, joined)
  const written = await writeExamples(scored.map(named), 'listwise', outputFile)
  const kept = newAnswers(examples, without(scored, written.skipped))
  const counts = { ...came, kept, unwritten: came.kept - kept }
  sayCounts(ui, counts)
  sayLeftOut(ui, written)
  const { answers: _, ...asking } = sampled
  const report = { rows: written.rows, ...asking, ...counts }
  writeWhole(join(options.outputDir, 'augment.json'), `${JSON.stringify(report, null, 2)}\n`)
  ui.line(`lists    ${outputFile}`)
  return { outputFile, rows: written.rows, ...asking, ...counts }
}

/** Rewards of a list have one unit, or they can't be compared. */
function requireOneUnit(session: Session, examples: readonly Example[]): void {
  requireOneScorer(session.options)
  if (session.options.answersFile !== undefined)
    checkIdle(session, [{ keys: [...GENERATE_KEYS, 'seed'], reason: 'the answers come from answers_file' }])
  if (hasOutsideScorer(session.options) || session.options.answersFile !== undefined) return
  if (!hasColumnScores(examples)) return
  throw usageError(
    'train_dataset has rewards, and further answers would have none',
    'give the reward_model, reward_endpoint or reward_function that they are from: it scores all answers',
  )
}

/** @throws ClhaError (exit 2) with the first row in which new answers lack the reward that others have, or have one alone */
function requireSameRewards(examples: readonly Example[], joined: readonly Example[]): void {
  const kinds = ({ candidates }: Example) =>
    new Set(candidates.map(({ reward }) => reward !== undefined)).size
  const mixed = joined.find((example, i) => kinds(example) > 1 && kinds(examples[i]) < 2)
  if (mixed === undefined) return
  throw usageError(
    `${mixed.file}:${mixed.row}: some answers have a reward, some not, those of answers_file included`,
    'give rewards in both files or in neither, or a reward_model, reward_endpoint or reward_function, which scores all',
  )
}

const placeOf = ({ file, row }: { file: string; row: number }): string => `${file}:${row}`

const without = (examples: readonly Example[], left: readonly ReadFault[]): Example[] => {
  const places = new Set(left.map(placeOf))
  return examples.filter((example) => !places.has(placeOf(example)))
}

/** Answers that the examples had not before. */
function newAnswers(before: readonly Example[], after: readonly Example[]): number {
  const had = new Map(before.map((example) => [placeOf(example), example.candidates.length]))
  return after.reduce((sum, example) => sum + example.candidates.length - (had.get(placeOf(example)) ?? 0), 0)
}

async function answersOf(session: Session, examples: readonly Example[]): Promise<Sampled> {
  const { options, ui } = session
  const { answersFile, generationEndpoint: url } = options
  if (answersFile !== undefined) return fromFile(ui, examples, answersFile)
  const { numSamples, temperature, seed, outputDir: dir } = options
  const common = { count: numSamples, temperature, seed, dir }
  return sayingStop(ui, 'answers that came are kept: the same command goes on from here', async () => {
    if (url === undefined) return fromModel(session, examples, common)
    const endpoint = configuredGenerator(options, url)
    ui.line(`answers come from ${endpoint.name}`)
    return sampleFromEndpoint(session, endpoint, examples, { ...common, name: endpoint.model })
  })
}

async function fromModel(
  session: Session,
  examples: readonly Example[],
  common: Omit<Sampling, 'name'>,
): Promise<Sampled> {
  const path = required(session.options, 'modelNameOrPath')
  const lm = await loadStartModel(session, 'lm', 'all')
  try {
    const sampling = { ...common, name: hubLabel(path) }
    return await sampleLocally(session, lm, resolveModelFolder(path), examples, sampling)
  } finally {
    lm.model.dispose()
  }
}

async function fromFile(ui: Ui, examples: readonly Example[], path: string): Promise<Sampled> {
  const { answers, unmatched } = await readAnswersFile(path, examples)
  const found = answers.flat().length
  if (unmatched > 0)
    ui.warn(`${path}: ${amount(unmatched, 'prompt')} not in train_dataset`, 'their answers are not used')
  if (found === 0)
    throw usageError(`${path}: no answer to a prompt of train_dataset`, 'prompts have to be the very same')
  return { answers, asked: found, known: found, refused: 0, tokens: 0 }
}

function configuredGenerator(options: SectionOptions<'augment'>, url: string) {
  const { generationEndpointModel: model, generationEndpointTokenEnv: name } = options
  if (model === undefined)
    throw usageError(
      'generation_endpoint_model is missing',
      'name the model that the server is to answer with',
    )
  return openGenerationEndpoint({
    url,
    model,
    concurrency: options.generationEndpointConcurrency,
    timeoutMs: options.generationEndpointTimeout * 1000,
    retries: options.generationEndpointRetries,
    token: name === undefined ? undefined : secretOf(name, 'generation_endpoint_token_env'),
  })
}

/** Every answer of every list, scored by one scorer. */
async function withRewards(session: Session, examples: Example[]): Promise<Example[]> {
  if (!hasOutsideScorer(session.options)) return examples
  const answered = examples.filter(({ candidates }) => candidates.length > 0)
  const { corpus } = await outsideScores(session, corpusOf(answered))
  const flat = corpus.rewards.flat()
  session.ui.line(`mean reward ${figure(flat.reduce((a, b) => a + b, 0) / Math.max(1, flat.length))}`)
  return [...rewardedExamples(corpus), ...examples.filter(({ candidates }) => candidates.length === 0)]
}

/** Every candidate says where it came from. */
const named = (example: Example): Example => ({
  ...example,
  candidates: example.candidates.map((candidate) => ({ origin: 'data', ...candidate })),
})
