/** `clha explain`: one example of a rescored file, or of data and rewards, through the whole method. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Options, SectionOptions } from '../../config/options.js'
import { corpusOf } from '../../data/corpus.js'
import { packLists } from '../../data/encode/pack.js'
import { usageError } from '../../errors.js'
import { loadStartModel } from '../../load/language-model.js'
import { isAlignment } from '../../methods/registry.js'
import { logProbSums } from '../../models/decoder/score.js'
import type { AuditReport } from '../../rescore/audit.js'
import type { LabelSource, UncertainScale } from '../../rescore/beliefs.js'
import {
  type Explained,
  type ExplainRules,
  explainList,
  fitsList,
  levelOfGate,
} from '../../rescore/explain.js'
import { type ExplainedLoss, explainLoss } from '../../rescore/explain-loss.js'
import { isRankedFile } from '../../rescore/is-ranked-file.js'
import type { RankedList } from '../../rescore/ranked.js'
import { readRankedJsonl } from '../../rescore/ranked-jsonl.js'
import { rescoreLists } from '../../rescore/rescore.js'
import { type Session, withSession } from '../../session/session.js'
import { shellWord } from '../../show/shell.js'
import { rescoreOptions } from '../../stations/rank/rescoring.js'
import { encodeCorpus } from '../../stations/read/encode-corpus.js'
import { loadData } from '../../stations/read/load-data.js'
import { withRelabels } from '../../stations/read/relabels.js'
import { scoreCorpus } from '../../stations/score/scoring.js'
import type { Pipeline } from '../pipeline-spec.js'
import { letters, sayExplained } from './say-explained.js'

/** One example, by step; answers are named by their places, and by `names`. */
export interface ExplainResult extends Explained {
  id: string
  file: string
  row: number
  mode: 'default' | 'legacy'
  /** T and e; in the default mode. */
  temperature?: number
  labelError?: number
  names: string[]
  /** With a model. */
  loss?: ExplainedLoss
}

export const explain: Pipeline<ExplainResult, 'train_dataset'> = withSession(async (session) => {
  const { options, ui } = session
  if (!isAlignment(options))
    throw usageError(`method: ${options.method}: clha explain goes through CLHA`, 'set method: clha')
  const { list, rules } = await found(session)
  const explained = explainList(list, rules)
  const loss = options.modelNameOrPath === undefined ? undefined : await lossOf(session, list)
  sayExplained(ui, { list, rules, explained, loss, ...options })
  const { example } = list
  return {
    id: example.id,
    file: example.file,
    row: example.row,
    mode: rules.mode,
    ...(rules.mode === 'default' && {
      temperature: rules.scale.temperature,
      labelError: rules.scale.labelError,
    }),
    names: letters(list),
    ...explained,
    ...(loss && { loss }),
  }
})

/** Which example is meant. */
type Place = SectionOptions<'explain'>

interface Found {
  list: RankedList
  rules: ExplainRules
}

async function found(session: Session<'train_dataset'>): Promise<Found> {
  const paths = session.options.trainDataset
  const ranked = paths.every(isRankedFile)
  return ranked ? fromRescored(session.options, paths) : fromData(session, paths)
}

async function fromRescored(options: Options, paths: readonly string[]): Promise<Found> {
  const matches: { list: RankedList; path: string }[] = []
  for (const path of paths) {
    for await (const list of readRankedJsonl(path)) if (isAsked(options, list)) matches.push({ list, path })
  }
  const { list, path } = theOne(options, matches, ({ list }) => list)
  const rules = rulesToTry(options, list, path).find((r) => fitsList(list, r))
  if (rules) return { list, rules }
  throw usageError(
    `${path}: ${list.example.id} was rescored with other settings, or with a T and e that are not in an audit.json beside it`,
    'give the config that it was rescored with (its folder has a config.yaml), or reward_temperature and label_error',
  )
}

/** With T and e as the config gives them, and as each fold's calibration found them. */
function rulesToTry(options: Options, list: RankedList, path: string): ExplainRules[] {
  const { mode, rewardTemperature: temperature, labelError } = options
  if (mode === 'legacy') return [legacyRules(options)]
  const given = temperature === undefined || labelError === undefined ? [] : [{ temperature, labelError }]
  const audit = auditBeside(path)
  const { labelSource } = options
  // An audit of 0.1.0 does not say what was decided: there was no `auto`.
  const sources: LabelSource[] =
    labelSource !== 'auto' && labelSource !== 'perplexity'
      ? [labelSource]
      : audit?.labelSource
        ? [audit.labelSource]
        : ['posterior', 'agreement']
  return [...given, ...(audit?.calibrations ?? [])].flatMap((scale) =>
    sources.map((source) => defaultRules(options, list, scale, source)),
  )
}

/** The audit that was written with the lists: T and e of each fold, and who decided. */
function auditBeside(path: string): Partial<AuditReport> | undefined {
  const audit = join(dirname(path), 'audit.json')
  if (!existsSync(audit)) return undefined
  try {
    return JSON.parse(readFileSync(audit, 'utf8')) as AuditReport
  } catch {
    return undefined
  }
}

/** Ranks the whole data set: T, e and the gate's level come from all of it. */
async function fromData(session: Session, paths: string[]): Promise<Found> {
  const { options } = session
  const { examples: read } = await loadData(session, paths, 2)
  const examples = await withRelabels(session, read)
  theOne(
    options,
    examples.filter((e) => isAsked(options, { example: e })),
    (example) => ({ example }),
  )
  const scored = await scoreCorpus(session, corpusOf(examples))
  const { lists, calibrations, audit } = rescoreLists({ ...scored, options: rescoreOptions(session.options) })
  const list = theOne(
    options,
    lists.filter((l) => isAsked(options, l)),
    (l) => l,
  )
  if (options.mode === 'legacy') return { list, rules: legacyRules(options) }
  const fold = scored.folds?.[lists.indexOf(list)] ?? 0
  const scale = calibrations.find((c) => c.fold === fold) as UncertainScale
  return { list, rules: defaultRules(options, list, scale, audit.labelSource ?? 'posterior') }
}

const isAsked = (options: Place, { example }: Pick<RankedList, 'example'>): boolean =>
  options.id === undefined ? example.row === options.row : example.id === options.id

/** @throws ClhaError (exit 2) when there is none, or more than one */
function theOne<T>(options: Place, matches: readonly T[], of: (match: T) => Pick<RankedList, 'example'>): T {
  const asked = options.id === undefined ? `row ${options.row}` : `id ${options.id}`
  if (matches.length === 1) return matches[0]
  if (matches.length === 0) throw usageError(`train_dataset has no example of ${asked}`, 'rows count from 1')
  const ids = matches.slice(0, 5).map((match) => of(match).example.id)
  throw usageError(
    `${matches.length} examples have ${asked}`,
    `name one by its id: ${ids.map((id) => `--id ${shellWord(id, 'ID')}`).join(', ')}`,
  )
}

function defaultRules(
  options: Options,
  list: RankedList,
  scale: UncertainScale,
  labelSource: LabelSource,
): ExplainRules {
  const { pairWeight, minConfidence, sftGate, gateLevel } = options
  const level = gateLevel ?? (sftGate === 'soft' ? levelOfGate(list, scale.temperature) : undefined)
  return {
    mode: 'default',
    scale: scaleAlone(scale),
    labelSource,
    pairWeight,
    minConfidence,
    sftGate,
    level,
  }
}

/** Without the rest of a calibration. */
function scaleAlone(scale: UncertainScale): UncertainScale {
  const { temperature, labelError, lapse, annotators, plausible, averaged, reverseBelow } = scale
  return {
    temperature,
    labelError,
    ...(lapse !== undefined && { lapse }),
    ...(annotators && { annotators }),
    ...(plausible && { plausible }),
    ...(averaged && { averaged }),
    ...(reverseBelow !== undefined && { reverseBelow }),
  }
}

const legacyRules = (options: Pick<Options, 'rewardThreshold' | 'gateLevel'>): ExplainRules => ({
  mode: 'legacy',
  threshold: options.rewardThreshold ?? 3,
  level: options.gateLevel ?? 0,
})

/** Log-probabilities of the answers, and what the loss makes of them. */
async function lossOf(session: Session, list: RankedList): Promise<ExplainedLoss> {
  const { options } = session
  const lm = await loadStartModel(session)
  try {
    const { encoded } = await encodeCorpus(session, lm, corpusOf([list.example]), 1)
    if (encoded.length === 0) throw usageError(`${list.example.id}: no room for its answers in max_length`)
    const [batch] = packLists(encoded, { maxTokens: options.maxTokensPerBatch, lastToken: false })
    const sums = logProbSums(lm.model, batch)
    const legacy = options.mode === 'legacy'
    const { margin, marginScale, sftWeight } = options
    return explainLoss(
      list,
      { sums, counts: batch.counts },
      {
        margin,
        marginScale,
        sftWeight: legacy ? sftWeight * (sums.length - 1) ** 2 : sftWeight,
        sftReduction: legacy ? 'lists' : 'tokens',
      },
    )
  } finally {
    lm.model.dispose()
  }
}
