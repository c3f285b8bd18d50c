/** From what an alignment did to what its report says. */

import type { Example } from '../../data/example.js'
import type { AlignReport, Curve, ReportWarning } from '../../report/types.js'
import { warningsOf } from '../../runs/metrics.js'
import type { Session } from '../../session/session.js'
import { reportHeader } from '../../stations/judge/eval-report.js'
import type { Evaluation } from '../../stations/judge/evaluation.js'
import { gatherSources } from './align-sources.js'
import type { Aligned } from './align-stations.js'

export interface AlignReportInput {
  title: string
  command?: string
  train: readonly Example[]
  test: readonly Example[]
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

function curve({ name, run }: Aligned['curves'][number]): Curve {
  const [, metrics] = DRAWN.find(([prefix]) => name.startsWith(prefix)) as (typeof DRAWN)[number]
  const points = run.rows.map((row) => {
    const drawn = metrics.flatMap((m) => (typeof row[m] === 'number' ? [[m, row[m]] as const] : []))
    return { step: row.step, ...Object.fromEntries(drawn) }
  })
  return { name, metrics, points }
}

function roundNotes({ rounds }: Aligned): string[] {
  if (rounds.length === 0) return []
  return [`round n is the policy after n rounds; clha is that of the last, round ${rounds.length + 1}.`]
}

/** What the trainings warned of while they ran. */
function runWarnings({ name, run }: Aligned['curves'][number]): ReportWarning[] {
  return run.rows.flatMap((row) =>
    warningsOf(row).map(({ text, advice }) => ({
      message: `${name}, step ${row.step}: ${text}.`,
      hint: advice,
    })),
  )
}

export function alignReport(
  session: Session,
  aligned: Aligned,
  evaluation: Evaluation | undefined,
  input: AlignReportInput,
): AlignReport {
  const { hiddenSize, layers, vocabSize, family } = aligned.shape
  return {
    ...reportHeader(session, input.title, input.command),
    notes: [...input.notes, ...roundNotes(aligned)],
    warnings: aligned.curves.flatMap(runWarnings),
    stations: aligned.stations,
    data: { pairs: input.train.length, noise: input.noise, sources: gatherSources(input.train, input.test) },
    model: {
      parameters: aligned.parameters,
      shape: `${family}, ${layers} layers, width ${hiddenSize}, ${vocabSize} tokens`,
    },
    curves: aligned.curves.map(curve),
    rewardModel: {
      folds: [...aligned.scorers, ...(aligned.second ? [aligned.second] : [])].flatMap(
        ({ fold, accuracy }, i) =>
          accuracy
            ? [
                {
                  name: i < aligned.scorers.length ? `fold ${fold}` : 'second',
                  accuracy: { value: accuracy.value, interval: [accuracy.low, accuracy.high] as const },
                  pairs: accuracy.pairs,
                },
              ]
            : [],
      ),
    },
    audit: aligned.rescored.audit,
    evaluation: evaluation?.report,
    samples: evaluation?.samples,
  }
}
