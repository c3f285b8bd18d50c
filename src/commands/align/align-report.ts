/** From what an alignment did to what its report says. */

import type { AlignReport, Curve, ReportWarning } from '../../report/types.js'
import { writeReports } from '../../report/write-reports.js'
import { warningsOf } from '../../runs/metrics.js'
import { reportHeader } from '../../stations/evaluate/eval-report.js'
import type { Evaluation } from '../../stations/evaluate/evaluation.js'
import { gatherSources } from './align-sources.js'
import type { AlignData, Aligned, Alignment } from './alignment.js'
import { sayReport } from './say-report.js'

/** What a report says of itself. */
export interface Told {
  title: string
  command?: string
  /** Share of labels reversed on purpose. */
  noise?: number
  notes: string[]
}

/** Metrics worth a curve, by what was trained. */
const DRAWN: [prefix: string, metrics: string[]][] = [
  ['reward', ['loss', 'accuracy']],
  [
    'clha',
    [
      'loss',
      'rank_loss',
      'sft_loss',
      'rewards/chosen',
      'rewards/rejected',
      'rewards/accuracies',
      'rewards/margins',
    ],
  ],
  ['', ['loss', 'mean_token_accuracy']],
]

type Trained = Alignment['curves'][number]

function curve(trained: Trained): Curve {
  const { name, run } = trained
  const [, metrics] = DRAWN.find(([prefix]) => name.startsWith(prefix)) as (typeof DRAWN)[number]
  const points = run.rows.map((row) => {
    const drawn = metrics.flatMap((m) => (typeof row[m] === 'number' ? [[m, row[m]] as const] : []))
    return { step: row.step, ...Object.fromEntries(drawn) }
  })
  return { name, metrics, points, warnings: runWarnings(trained) }
}

function roundNotes({ rounds }: Aligned): string[] {
  if (rounds.length === 0) return []
  return [`round n is the policy after n rounds; clha is that of the last, round ${rounds.length + 1}.`]
}

/** What the trainings warned of while they ran. */
function runWarnings({ name, run }: Trained): ReportWarning[] {
  return run.rows.flatMap((row) =>
    warningsOf(row).map(({ text, advice }) => ({
      message: `${name}, step ${row.step}: ${text}.`,
      hint: advice,
    })),
  )
}

/** Says and writes the report. @returns path of its page */
export async function reportStation(
  a: Alignment,
  data: AlignData,
  aligned: Aligned,
  evaluation: Evaluation | undefined,
  told: Told,
): Promise<string> {
  const { ui, options } = a.session
  const report = alignReport(a, data, aligned, evaluation, told)
  sayReport(ui, report)
  const { html } = await writeReports(options.outputDir, report)
  ui.line(`report   ${html}`)
  ui.line(`model    ${aligned.clha}`)
  return html
}

export function alignReport(
  a: Alignment,
  { train, test }: AlignData,
  aligned: Aligned,
  evaluation: Evaluation | undefined,
  told: Told,
): AlignReport {
  const { session, curves, stations, parameters, lm } = a
  const { hiddenSize, layers, vocabSize, family } = lm.model.config
  return {
    ...reportHeader(session, told.title, told.command),
    notes: [...told.notes, ...roundNotes(aligned)],
    stations,
    data: { pairs: train.length, noise: told.noise, sources: gatherSources(train, test) },
    model: {
      parameters,
      shape: `${family}, ${layers} layers, width ${hiddenSize}, ${vocabSize} tokens`,
    },
    curves: curves.map(curve),
    rewardModel: { folds: accuraciesOf(aligned) },
    audit: aligned.rescored.audit,
    ...(evaluation?.measures && { measures: evaluation.measures }),
    ...(evaluation && { judgements: evaluation.judgements }),
    evaluation: evaluation?.report,
    samples: evaluation?.samples,
  }
}

/** How often each reward model was right, where that could be measured. */
function accuraciesOf({ scorers, second }: Aligned) {
  const named = [
    ...scorers.map(({ fold, accuracy }) => ({ name: `fold ${fold}`, accuracy })),
    ...(second ? [{ name: 'second', accuracy: second.accuracy }] : []),
  ]
  return named.flatMap(({ name, accuracy }) => {
    if (!accuracy) return []
    const { value, low, high, pairs } = accuracy
    return [{ name, accuracy: { value, interval: [low, high] as const }, pairs }]
  })
}
