/** Rewards and labels to ranked lists, the audit said and written. */

import { join } from 'node:path'
import type { Options } from '../../config/options.js'
import type { ScoredCorpus } from '../../data/corpus.js'
import { makeFolder } from '../../files/folder.js'
import { writeWhole } from '../../files/whole.js'
import { writeAuditPage } from '../../report/write-reports.js'
import type { AuditReport } from '../../rescore/audit.js'
import type { FoldCalibration } from '../../rescore/calibrate.js'
import type { Expected } from '../../rescore/expected.js'
import type { RankedList } from '../../rescore/ranked.js'
import { writeRankedJsonl } from '../../rescore/ranked-jsonl.js'
import { type Rescored, type RescoreOptions, rescoreLists } from '../../rescore/rescore.js'
import type { Needs } from '../../session/needs.js'
import type { Session } from '../../session/session.js'
import { count, figure, percent } from '../../show/units.js'
import { dropKeptScores } from '../score/kept-scores.js'
import { rescoredFile } from './rescored-file.js'

/** The keys that decide beliefs, order, pairs and gates. */
type RescoringOptions = Pick<
  Options,
  | 'labelSource'
  | 'pairWeight'
  | 'minConfidence'
  | 'sftGate'
  | 'gateQuantile'
  | 'gateLevel'
  | 'labelError'
  | 'rewardTemperature'
  | 'rewardThreshold'
  | 'mode'
>

interface RescoringNeeds extends Pick<Session, 'ui'> {
  options: RescoringOptions
}

/** The config's words for what rescoring takes. */
export function rescoreOptions(
  options: RescoringOptions,
  truth?: (list: RankedList) => readonly boolean[],
): RescoreOptions {
  const {
    labelSource,
    pairWeight,
    minConfidence,
    sftGate,
    gateQuantile,
    gateLevel,
    labelError,
    rewardTemperature,
  } = options
  return {
    rank: { labelSource, pairWeight, minConfidence, sftGate, gateQuantile, gateLevel },
    calibrate: { labelError, temperature: rewardTemperature },
    audit: { truth },
    legacy:
      options.mode === 'legacy'
        ? { threshold: options.rewardThreshold ?? 3, order: 'reward', gateLevel: gateLevel ?? 0 }
        : undefined,
  }
}

/** Calibrates, ranks, audits; writes rescored.jsonl, audit.json and audit.html to the output folder. */
export async function rescoreStation(
  session: RescoringNeeds & Needs<'outputDir' | 'rewardModel' | 'scoreCacheDir'>,
  scored: ScoredCorpus,
  truth?: (list: RankedList) => readonly boolean[],
): Promise<Rescored> {
  const rescored = rescoreData(session, scored, truth)
  await writeRescored(rescored, session.options.outputDir)
  dropKeptScores(session.options)
  return rescored
}

/** Calibrates, ranks, audits; says what came out. */
export function rescoreData(
  session: RescoringNeeds,
  { examples, rewards, scores, folds }: ScoredCorpus,
  truth?: (list: RankedList) => readonly boolean[],
): Rescored {
  const rescored = rescoreLists({
    examples,
    rewards,
    scores,
    folds,
    options: rescoreOptions(session.options, truth),
  })
  sayAudit(session, rescored.audit)
  return rescored
}

/** Writes rescored.jsonl, audit.json and audit.html to the output folder, or to that of a round. */
export async function writeRescored(rescored: Rescored, dir: string): Promise<void> {
  makeFolder(dir)
  await writeRankedJsonl(rescoredFile(dir), rescored.lists)
  writeWhole(join(dir, 'audit.json'), `${JSON.stringify(rescored.audit, null, 2)}\n`)
  await writeAuditPage(join(dir, 'audit.html'), rescored.audit)
}

function sayAudit({ ui, options }: RescoringNeeds, audit: AuditReport): void {
  const { total, calibrations } = audit
  if (total.agreement.total > 0)
    ui.line(`labels agree with the reward  ${percent(total.agreement.share ?? 0)}`)
  for (const { name, weight, agreement } of audit.scorers ?? [])
    ui.line(`${name}: agrees with ${show(agreement)} of the labels, weight ${percent(weight, 0)}`)
  for (const calibration of calibrations) {
    const { fold, temperature, lapse, labelErrorInterval: open, votes } = calibration
    // Which share of what is wrong is the reward's, is known as well as e is.
    const known = lapse > 0.005 && (!open || votes.pairs > 0)
    const name = calibrations.length > 1 ? `fold ${fold}: ` : ''
    ui.line(
      `${name}reward unit T ${figure(temperature)}${known ? `, wrong whatever its gap in ${percent(lapse, 0)}` : ''}`,
    )
  }
  if (calibrations.length > 0) ui.line(errorWords(calibrations[0], options.labelSource === 'perplexity'))
  if (audit.expected) {
    ui.line(expectedWords(audit.expected))
    ui.line(audit.expected.sentence)
  }
  const { kept, doubtful, reversed } = total.labels
  const confidence = options.mode === 'legacy' ? '' : `at ${options.minConfidence} confidence: `
  ui.line(
    `${confidence}${count(total.pairs.contrasted)} of ${count(total.pairs.total)} pairs are contrasted · ` +
      `labels: ${count(kept)} kept, ${count(doubtful)} doubtful, ${count(reversed)} reversed`,
  )
  if (audit.truth) {
    const { precision, recall, orderRight, labelsRight } = audit.truth
    ui.line(
      `audit: ${show(precision)} of the labels found reversed really are, ${show(recall)} of those really reversed were found`,
    )
    ui.line(
      `right order: by the labels ${show(labelsRight)} of the pairs, by labels and rewards ${show(orderRight)}`,
    )
  }
  for (const { message, hint } of audit.warnings) ui.warn(message, hint)
}

/** Shares of right orders at both ends of what is plausible: where labels err most, and where least. */
function expectedWords({ low, high }: Expected): string {
  const range = (name: 'labels' | 'reward' | 'order') => {
    const [least, most] = [low[name], high[name]].sort((a, b) => a - b)
    return least.toFixed(2) === most.toFixed(2)
      ? percent(most, 0)
      : `${percent(least, 0)} to ${percent(most, 0)}`
  }
  return `pairs expected to be right: by the labels ${range('labels')}, by the reward ${range('reward')}, rescored ${range('order')}`
}

/** What is known of the annotators' error; it is the same in all folds. */
function errorWords(
  { labelErrorInterval: interval, determined, labelError, votes }: FoldCalibration,
  byPerplexity: boolean,
): string {
  const looks =
    votes.pairs > 0
      ? ` · ${count(votes.pairs)} pairs judged more than once, ${count(votes.disagree)} disagreements`
      : ''
  if (!interval)
    return `annotator error ${labelError.toFixed(2)}, ${byPerplexity ? 'as perplexities tell' : 'as given'}${looks}`
  const range = `${interval[0].toFixed(2)} to ${interval[1].toFixed(2)}`
  return determined || votes.pairs > 0
    ? `annotator error ${labelError.toFixed(2)} (${range})${looks}`
    : `annotator error not determined: ${range}`
}

const show = ({ share }: { share: number | null }): string => (share === null ? 'none' : percent(share))
