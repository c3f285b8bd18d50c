/** `clha quickstart`: the whole way on the starter world, where the truth is known; one seed, or several for a table. */
import { join } from 'node:path'
import type { ResolvedConfig } from '../../config/load-config.js'
import type { Message } from '../../dialogue.js'
import { loadStartModel } from '../../load/language-model.js'
import { seedsTable } from '../../report/tables.js'
import type { AlignReport, SampleReport } from '../../report/types.js'
import { writeReports } from '../../report/write-reports.js'
import { inOutputDir, requireOwnFolder } from '../../session/claim.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession } from '../../session/session.js'
import { sayingStop } from '../../session/stopped.js'
import { shellPath } from '../../show/shell.js'
import { amount, count, percent } from '../../show/units.js'
import { QUICKSTART_SETTINGS } from '../../stations/starter/starter-settings.js'
import { makeStarterWorld, type StarterWorld } from '../../stations/starter/starter-world.js'
import type { Ui } from '../../terminal/ui.js'
import { alignReport, type Told } from '../align/align-report.js'
import type { AlignResult } from '../align/align-result.js'
import { type AlignData, type Alignment, station, withAlignment } from '../align/alignment.js'
import { evaluateStation, type Judging } from '../align/evaluate-aligned.js'
import { prepareStations } from '../align/prepare.js'
import { alignedOf, compareStation, policyStations, rescoreStation } from '../align/rounds.js'
import { requireSameSettings } from '../align/same-settings.js'
import { resultOf, sayReport, stoppedResult } from '../align/say-report.js'
import type { Pipeline } from '../pipeline-spec.js'
import { quickstartConfig } from './quickstart-config.js'
import { type SeedRun, seedsReport } from './quickstart-seeds.js'
import { runReal } from './real.js'

/** Half an hour of a person's time tells rescoring how often labels err. */
const SECOND_LABELS = 100

const KEPT = 'what is done is kept: the same command goes on from here'

export const quickstart: Pipeline<AlignResult> = (config, ui) => {
  const { outputDir } = config.options
  requireOwnFolder(config.options)
  const stopped = () => stoppedResult(outputDir)
  return inOutputDir(config.options, false, () => sayingStop(ui, KEPT, () => runSeeds(config, ui), stopped))
}

async function runSeeds(config: ResolvedConfig, ui: Ui): Promise<AlignResult> {
  const { seeds, seed: first, outputDir, real } = config.options
  const run = real ? runReal : runStarter
  const runs: SeedRun[] = []
  for (let i = 0; i < seeds; i++) {
    const seed = first + i
    if (seeds > 1) ui.line(`seed ${seed}  (${i + 1} of ${seeds})`)
    runs.push(await run(config, ui, seed, seeds > 1 ? join(outputDir, `seed-${seed}`) : outputDir))
  }
  const last = runs[runs.length - 1]
  const report = runs.length > 1 ? seedsReport(runs) : last.report
  const { html } = await writeReports(outputDir, report)
  sayEnd(ui, report, html, last.result.model)
  return { ...last.result, outputDir, report: html }
}

/** The table over seeds, where there are several, and what to do next. */
function sayEnd(ui: Ui, { multiSeed }: AlignReport, page: string, model: string): void {
  if (multiSeed) {
    const table = seedsTable(multiSeed)
    ui.station(table.caption)
    ui.table(table)
  }
  ui.line('')
  ui.line(`report   ${page}`)
  ui.line(`model    ${model}`)
  // An installed package has neither command nor recipes in the user's folder.
  const [clha, recipes] = import.meta.url.includes('/node_modules/')
    ? ['npx clha', 'node_modules/clha/recipes']
    : ['./clha', 'recipes']
  ui.line(`next     ${clha} chat --model-name-or-path ${shellPath(model)}`)
  ui.line(`         ${clha} align ${recipes}/own-pairs.yaml    your own preferences`)
}

async function runStarter(given: ResolvedConfig, ui: Ui, seed: number, dir: string): Promise<SeedRun> {
  const starter = await makeStarterWorld(seed, dir, { secondLabels: SECOND_LABELS })
  const session = await openSession(
    quickstartConfig(given, QUICKSTART_SETTINGS, seed, dir, { tokenizer_name_or_path: starter.tokenizerDir }),
    ui,
  )
  requireSameSettings(session.config, dir)
  await writeConfig(session)
  return withAlignment(session, await loadStartModel(session), async (a) => {
    const { report, aligned } = await alignWorld(a, starter)
    sayReport(ui, report)
    const { html } = await writeReports(dir, report)
    return { seed, report, result: resultOf(a, aligned, html) }
  })
}

/** The stations of an alignment, a line each, on data whose truth is known. */
async function alignWorld(a: Alignment, starter: StarterWorld) {
  const data = await dataStation(a, starter)
  const prepared = await prepareStations(a, data)
  const rescored = await rescoreStation(a, data, prepared)
  const sft = await compareStation(a, data, prepared)
  const policies = await policyStations(a, data, prepared, rescored)
  const aligned = alignedOf(prepared, rescored, policies, sft)
  const evaluation = await evaluateStation(a, data, aligned, judgingOf(starter))
  const shown = evaluation && { ...evaluation, samples: greedySamples(evaluation.samples) }
  return { aligned, report: alignReport(a, data, aligned, shown, toldOf(starter)) }
}

/** The world was made before: its tokenizer is part of the config. */
const dataStation = (a: Alignment, { world, hash, truth }: StarterWorld): Promise<AlignData> =>
  station(a, 'data', async () => {
    const { train, test, demonstrations, options } = world
    a.session.ui.line(
      `${count(train.length)} pairs from the starter world, ${percent(options.noise, 0)} of the labels reversed on purpose, ${count(options.secondLabels)} pairs labelled twice`,
    )
    const files = [{ path: 'starter world', sha256: hash, rows: train.length }]
    return { train, test, files, demonstrations, truth }
  })

const judgingOf = ({ world, trueReward }: StarterWorld): Judging => ({
  on: amount(world.test.length, 'unseen prompt'),
  temperatures: [0, 1],
  trueReward: (prompt, answer) => trueReward(prompt as readonly Message[], answer),
})

const toldOf = ({ world }: StarterWorld): Told => ({
  title: 'Quickstart: the starter world',
  command: 'npm run quickstart',
  noise: world.options.noise,
  notes: [
    'The starter world is made up, and small: its oracle knows the true reward of any answer.',
    'Intervals are 95 %, over prompts, of one seed; several seeds: npm run quickstart -- --seeds 5',
  ],
})

/** A page of examples: the greedy answers to the first prompts. */
const greedySamples = (samples: readonly SampleReport[]): SampleReport[] =>
  samples.slice(0, 10).map(({ answers, ...prompt }) => ({
    ...prompt,
    answers: answers.filter(({ system }) => system.endsWith('(greedy)')),
  }))
