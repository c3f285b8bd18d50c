/** One seed of `clha quickstart --real`: a chat model learns to answer briefly and to decline, from its own answers and noisy labels. */
import { join } from 'node:path'
import type { ResolvedConfig } from '../../config/load-config.js'
import type { Example } from '../../data/example.js'
import type { Message } from '../../dialogue.js'
import { sha256 } from '../../files/digest.js'
import { makeFolder } from '../../files/folder.js'
import { writeWhole } from '../../files/whole.js'
import { loadLanguageModel } from '../../load/language-model.js'
import { loadTrainable } from '../../load/trainable.js'
import { writeReports } from '../../report/write-reports.js'
import { type Needs, required } from '../../session/needs.js'
import { writeConfig } from '../../session/outputs.js'
import { openSession } from '../../session/session.js'
import { amount, count, percent } from '../../show/units.js'
import type { AnswerNeeds } from '../../stations/answer/answer.js'
import { sampleLocally } from '../../stations/sample/sample-answers.js'
import type { Ui } from '../../terminal/ui.js'
import { talkReward } from '../../world/talk/talk-rule.js'
import {
  createTalkWorld,
  errorOfAnnotators,
  type TalkWorld,
  talkExamples,
} from '../../world/talk/talk-world.js'
import { alignReport, type Told } from '../align/align-report.js'
import { type AlignData, type Alignment, station, withAlignment } from '../align/alignment.js'
import { evaluateStation, type Judging } from '../align/evaluate-aligned.js'
import { prepareStations } from '../align/prepare.js'
import { alignedOf, policyStations, rescoreStation } from '../align/rounds.js'
import { requireSameSettings } from '../align/same-settings.js'
import { resultOf, sayReport } from '../align/say-report.js'
import { chatModelFile } from './chat-model.js'
import { quickstartConfig } from './quickstart-config.js'
import type { SeedRun } from './quickstart-seeds.js'
import { REAL_SETTINGS, SAMPLES, TEMPERATURE } from './real-settings.js'
import { habitLines, judgeLines, sayTalk, shownSamples } from './say-real.js'

export const runReal = async (given: ResolvedConfig, ui: Ui, seed: number, dir: string): Promise<SeedRun> =>
  runChatModel(await chatModelFile(ui), given, ui, seed, dir)

/** @param model a GGUF file or a model folder */
export async function runChatModel(
  model: string,
  given: ResolvedConfig,
  ui: Ui,
  seed: number,
  dir: string,
): Promise<SeedRun> {
  const config = quickstartConfig(given, REAL_SETTINGS, seed, dir, { model_name_or_path: model })
  const session = await openSession(config, ui)
  requireSameSettings(session.config, dir)
  await writeConfig(session)
  return withAlignment(session, await loadTrainable(session), async (a) => {
    const { report, aligned } = await alignTalk(a)
    sayReport(ui, report)
    sayTalk(ui, report)
    const { html } = await writeReports(dir, report)
    return { seed, report, result: resultOf(a, aligned, html) }
  })
}

/** The stations of an alignment; what tells the annotators' error is counted before them. */
async function alignTalk(opened: Alignment) {
  const { world, data } = await dataStation(opened)
  const { error, pairs, disagree } = errorOfAnnotators(world.train)
  const { ui, options } = opened.session
  ui.line(
    `${amount(pairs, 'pair')} labelled twice, ${amount(disagree, 'disagreement')}: a label errs in about ${percent(error, 0)}`,
  )
  const labelError = options.labelError ?? error
  const a = { ...opened, session: { ...opened.session, options: { ...options, labelError } } }
  const prepared = await prepareStations(a, data)
  const rescored = await rescoreStation(a, data, prepared)
  const policies = await policyStations(a, data, prepared, rescored)
  const aligned = alignedOf(prepared, rescored, policies)
  const evaluation = await evaluateStation(a, data, aligned, judgingOf(world))
  const lines = [
    ...judgeLines(prepared.scored, world, rescored.audit),
    ...(evaluation ? habitLines(evaluation) : []),
  ]
  const shown = evaluation && { ...evaluation, samples: shownSamples(evaluation.samples) }
  return { aligned, report: alignReport(a, data, aligned, shown, toldOf(world, lines)) }
}

/** The model answers the prompts; its answers, edited and labelled, are the data. */
const dataStation = (a: Alignment): Promise<{ world: TalkWorld; data: AlignData }> =>
  station(a, 'data', async () => {
    const { session } = a
    const { seed, outputDir } = session.options
    const examples = talkExamples()
    const answers = await ownAnswers(session, examples)
    const world = createTalkWorld(answers, { seed })
    const { train, test, ties, options } = world
    const rows = train.map(({ id, prompt, candidates, preferences: [{ better, worse }] }) => ({
      id,
      prompt,
      chosen: candidates[better].text,
      rejected: candidates[worse].text,
      reversed: world.truth(id).flipped[0],
    }))
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
    makeFolder(join(outputDir, 'data'))
    writeWhole(join(outputDir, 'data', 'train.jsonl'), text)
    session.ui.line(
      `${amount(train.length, 'pair')} of ${amount(examples.length, 'prompt')}, ${percent(options.noise, 0)} of the labels reversed on purpose` +
        `${ties > 0 ? ` · ${amount(ties, 'pair')} left out, both answers worth the same` : ''} · ${count(test.length)} other prompts to test on`,
    )
    const files = [{ path: 'answers of the model', sha256: sha256(text), rows: train.length }]
    const truth: AlignData['truth'] = ({ example }) => world.truth(example.id).flipped
    return { world, data: { train, test, files, truth, scoredByTruth: true } }
  })

type OwnAnswersNeeds = AnswerNeeds &
  Needs<'modelNameOrPath' | 'adapterNameOrPath' | 'chatTemplate' | 'outputDir' | 'seed', 'dtype'>

async function ownAnswers(session: OwnAnswersNeeds, examples: readonly Example[]): Promise<string[][]> {
  const { options, dtype } = session
  const model = required(options, 'modelNameOrPath')
  const lm = await loadLanguageModel(model, dtype, options.chatTemplate)
  const dir = join(options.outputDir, 'data')
  makeFolder(dir)
  try {
    const { answers } = await sampleLocally(session, lm, model, examples, {
      count: SAMPLES,
      temperature: TEMPERATURE,
      seed: options.seed,
      name: 'start',
      dir,
    })
    return answers.map((own) => own.map(({ text }) => text.trim()))
  } finally {
    lm.model.dispose()
  }
}

const judgingOf = ({ test }: TalkWorld): Judging => ({
  on: amount(test.length, 'unseen prompt'),
  temperatures: [0, 1],
  trueReward: (prompt, answer) => talkReward((prompt as readonly Message[])[0].content as string, answer),
})

const toldOf = ({ options }: TalkWorld, lines: readonly string[]): Told => ({
  title: 'Quickstart: a real chat model',
  command: 'npm run quickstart -- --real',
  noise: options.noise,
  notes: [
    'The model is SmolLM2-135M-Instruct; the true reward is an exact rule, which no reward model saw.',
    'Intervals are 95 %, over prompts, of one seed.',
    ...lines,
  ],
})
