/** `clha quickstart`: the whole way on the starter world, where the truth is known; one seed, or several for a table. */
import { join } from 'node:path'
import type { ResolvedConfig } from '../../config/load-config.js'
import type { Message } from '../../dialogue.js'
import { loadStartModel } from '../../load/language-model.js'
import { seedsTable } from '../../report/tables.js'
import type { AlignReport, SampleReport, StationReport } from '../../report/types.js'
import { writeReports } from '../../report/write-reports.js'
import { inOutputDir } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession } from '../../session/session.js'
import { Stopped } from '../../session/stopped.js'
import { count, percent } from '../../show/units.js'
import { showTable } from '../../stations/judge/eval-report.js'
import { makeStarterWorld } from '../../stations/read/starter-world.js'
import type { Ui } from '../../terminal/ui.js'
import { showReport } from '../align/align.js'
import { evaluateAligned } from '../align/align-evaluate.js'
import { alignReport } from '../align/align-report.js'
import { type Aligned, alignStations, station } from '../align/align-stations.js'
import type { AlignResult, Pipeline } from '../pipeline.js'
import { quickstartConfig } from './quickstart-config.js'
import { seedsReport } from './quickstart-seeds.js'

interface SeedRun {
  seed: number
  report: AlignReport
  aligned: Aligned
}

export const quickstart: Pipeline<AlignResult> = (config, ui) =>
  inOutputDir(config.options, false, () => runSeeds(config, ui))

async function runSeeds(config: ResolvedConfig, ui: Ui): Promise<AlignResult> {
  const { seeds, seed: first, outputDir } = config.options
  ui.line('clha quickstart · aligns a small language model on this machine, nothing leaves it\n')
  const runs: SeedRun[] = []
  try {
    for (let i = 0; i < seeds; i++) {
      const seed = first + i
      if (seeds > 1) ui.line(`seed ${seed}  (${i + 1} of ${seeds})`)
      runs.push(await runSeed(config, ui, seed, seeds > 1 ? join(outputDir, `seed-${seed}`) : outputDir))
    }
  } catch (error) {
    if (!(error instanceof Stopped)) throw error
    ui.line('stopped; what is done is kept: the same command goes on from here')
    return { outputDir, model: '', steps: 0, stopped: true, metrics: {} }
  }
  const last = runs[runs.length - 1]
  const report = runs.length > 1 ? seedsReport(runs) : last.report
  const written = await writeReports(outputDir, report)
  if (report.multiSeed) {
    const { caption, columns, rows } = seedsTable(report.multiSeed)
    ui.station(caption)
    showTable(ui, { columns: columns.map(({ label }) => label), rows }, 2)
  }
  ui.line('')
  ui.line(`report   ${written.html}`)
  ui.line(`model    ${last.aligned.clha}`)
  ui.line(`next     ./clha chat --model-name-or-path ${last.aligned.clha}`)
  ui.line('         ./clha align recipes/own-pairs.yaml    your own preferences')
  const { outcome } = last.aligned.curves[last.aligned.curves.length - 1].run
  return {
    outputDir,
    model: last.aligned.clha,
    steps: outcome.step,
    stopped: false,
    metrics: outcome.metrics,
    report: written.html,
  }
}

async function runSeed(given: ResolvedConfig, ui: Ui, seed: number, dir: string): Promise<SeedRun> {
  const stations: StationReport[] = []
  const starter = await makeStarterWorld(seed, dir)
  const { world } = starter
  const config = quickstartConfig(given, seed, dir, starter.tokenizerDir)
  const session = await openSession(config, ui)
  await writeConfig(session)
  const { train, test, demonstrations, options } = world
  await station(session, stations, 'data', async () => {
    ui.line(
      `${count(train.length)} pairs from the starter world, ${percent(options.noise, 0)} of the labels reversed on purpose`,
    )
  })
  const files = [{ path: 'starter world', sha256: starter.hash, rows: train.length }]
  const lm = await loadStartModel(session)
  try {
    const aligned = await alignStations(
      session,
      lm,
      { train, files, demonstrations, truth: starter.truth, compareSft: true },
      stations,
    )
    const evaluation = await station(
      session,
      stations,
      `evaluate  ${count(test.length)} unseen prompts`,
      () =>
        evaluateAligned(session, lm, aligned, {
          test,
          temperatures: [0, 1],
          trueReward: (prompt, answer) => starter.trueReward(prompt as readonly Message[], answer),
        }),
    )
    aligned.dispose()
    const report = alignReport(
      session,
      aligned,
      { ...evaluation, samples: greedySamples(evaluation.samples) },
      {
        title: 'Quickstart: the starter world',
        command: 'npm run quickstart',
        train,
        test,
        noise: options.noise,
        notes: [
          'The starter world is made up, and small: its oracle knows the true reward of any answer.',
          'Intervals are 95 %, over prompts, of one seed; several seeds: npm run quickstart -- --seeds 5',
        ],
      },
    )
    showReport(ui, report)
    await writeReports(dir, report)
    return { seed, report, aligned }
  } finally {
    lm.model.dispose()
  }
}

/** A page of examples: the greedy answers to the first prompts. */
const greedySamples = (samples: readonly SampleReport[]): SampleReport[] =>
  samples.slice(0, 10).map(({ answers, ...prompt }) => ({
    ...prompt,
    answers: answers.filter(({ system }) => system.endsWith('(greedy)')),
  }))
