/** Answers of a model to prompts of a file or of the command line, to the terminal or into a file as they come. */
import { checkIdle } from '../../config/idle-keys.js'
import { listFiles } from '../../data/read/read-files.js'
import type { Prompt } from '../../dialogue.js'
import { promptKey, promptText } from '../../dialogue.js'
import { inOrder } from '../../files/in-order.js'
import { openJsonLines } from '../../files/json-lines.js'
import { requireFreeTargets } from '../../files/targets.js'
import { sayUnusedSettings } from '../../load/generation-settings.js'
import { type LanguageModel, loadStartModel } from '../../load/language-model.js'
import { resolveModelFolder } from '../../models/folders/model-folder.js'
import { type Session, withSession } from '../../session/session.js'
import { amount, count } from '../../show/units.js'
import { type Answer, requestAnswers } from '../../stations/answer/answer.js'
import { sayQuantizedChange } from '../../stations/evaluate/quantized-change.js'
import { loadData } from '../../stations/read/load-data.js'
import { streamed } from '../../terminal/streamed.js'
import type { Ui } from '../../terminal/ui.js'
import type { Pipeline } from '../pipeline-spec.js'

export interface GenerateResult {
  answers: { prompt: unknown; answer: string; tokens: number; finishReason: string }[]
  outputFile?: string
}

type Asked = Session<'model_name_or_path'>

interface Row {
  prompt: Prompt
  answer: string
  tokens: number
  finish_reason: Answer['finishReason']
}

/** With a file, so many answers are shown; without one, all. */
const SHOWN_BESIDE_FILE = 3

export const generatePipeline: Pipeline<GenerateResult, 'model_name_or_path'> = withSession(
  async (session) => {
    const { options, config, ui } = session
    const { evalDataset, outputFile, prompt } = options
    // A prompt on the command line stands in for the eval_dataset of the config file.
    if (prompt !== undefined && (config.origin.prompt !== 'flag' || config.origin.eval_dataset === 'flag'))
      checkIdle(session, [
        { keys: ['eval_dataset'], reason: 'the prompts are those of prompt', remedy: 'remove prompt' },
      ])
    if (evalDataset !== undefined && outputFile !== undefined)
      requireFreeTargets([outputFile], await listFiles(evalDataset))
    const lm = await loadStartModel(session, 'lm', 'all')
    sayUnusedSettings(session, lm.tokenizer.generation)
    try {
      const asked = await promptsOf(session, lm)
      const prompts = asked.flatMap((prompt) => new Array<Prompt>(options.numSamples).fill(prompt))
      const rows = await answerAll(session, lm, prompts)
      if (rows.length < prompts.length) {
        ui.warn(`stopped after ${count(rows.length)} of ${count(prompts.length)} answers`)
      }
      if (outputFile !== undefined) ui.line(`answers  ${outputFile}`)
      if (evalDataset !== undefined) await sayChange(session, lm, rows)
      const answers = rows.map(({ finish_reason: finishReason, ...row }) => ({ ...row, finishReason }))
      return { answers, outputFile }
    } finally {
      lm.model.dispose()
    }
  },
)

function sayChange(session: Asked, lm: LanguageModel, rows: readonly Row[]): Promise<void> {
  const { modelNameOrPath, adapterNameOrPath } = session.options
  return sayQuantizedChange(session, {
    lm,
    folder: resolveModelFolder(modelNameOrPath),
    adapter: adapterNameOrPath && resolveModelFolder(adapterNameOrPath),
    prompts: rows.map(({ prompt }) => prompt),
    answers: rows.map(({ answer }) => answer),
  })
}

/** A text is what a user says, but with the template `plain` it is the very text that the model continues. */
async function promptsOf(session: Asked, { template }: LanguageModel): Promise<Prompt[]> {
  const { prompt, evalDataset } = session.options
  if (prompt !== undefined) {
    return prompt.map((text) => (template.name === 'plain' ? text : [{ role: 'user', content: text }]))
  }
  const { examples } = await loadData(session, evalDataset ?? [], 0)
  return [...new Map(examples.map((example) => [promptKey(example.prompt), example.prompt])).values()]
}

async function answerAll(session: Asked, lm: LanguageModel, prompts: Prompt[]): Promise<Row[]> {
  const { ui, options } = session
  const file = options.outputFile === undefined ? undefined : openJsonLines(options.outputFile)
  const rows: Row[] = []
  const alone = prompts.length === 1
  const { maxPositions } = lm.model.config
  const cutBy = (tokens: number) =>
    tokens < options.maxNewTokens ? `the model's context of ${count(maxPositions)} tokens` : 'max_new_tokens'
  const ordered = inOrder<Row>((row) => {
    rows.push(row)
    file?.write(row)
    if (!alone && (!file || rows.length <= SHOWN_BESIDE_FILE)) show(ui, row, cutBy)
  })
  try {
    await requestAnswers(session, lm, prompts, alone ? {} : { label: 'answers' }, {
      text: alone ? streamed(ui) : undefined,
      answer: (i, { text, ids, finishReason }) =>
        ordered.add(i, { prompt: prompts[i], answer: text, tokens: ids.length, finish_reason: finishReason }),
    })
    if (alone) ui.write('\n')
    ordered.flush()
    file?.finish()
    return rows
  } finally {
    file?.abandon()
  }
}

/** @param cutBy which limit ended an answer of so many tokens */
function show(
  ui: Ui,
  { prompt, answer, tokens, finish_reason: reason }: Row,
  cutBy: (tokens: number) => string,
): void {
  const end = reason === 'length' ? `, cut at ${cutBy(tokens)}` : ''
  ui.line(`\n${promptText(prompt)}\n→ ${answer}\n  (${amount(tokens, 'token')}${end})`)
}
