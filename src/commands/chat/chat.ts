/** `clha chat`: a dialogue with a model, line by line. */

import { answeringRoom } from '../../data/limits.js'
import { hubLabel } from '../../hub/cache.js'
import { sayUnusedSettings } from '../../load/generation-settings.js'
import { type LanguageModel, loadStartModel } from '../../load/language-model.js'
import { parameterCount } from '../../models/decoder/decoder.js'
import { type Session, withSession } from '../../session/session.js'
import { count } from '../../show/units.js'
import { requestAnswers, trimAnswer } from '../../stations/answer/answer.js'
import { streamed } from '../../terminal/streamed.js'
import { isRefusal } from '../../text/template.js'
import type { Pipeline } from '../pipeline-spec.js'
import { BRIEFLY, follow, type Talk } from './chat-commands.js'
import { fitHistory } from './chat-history.js'
import { chatInterrupts, type Interrupts } from './chat-interrupt.js'

/** The dialogue as it stood at the end. */
export type ChatResult = Talk

export const chatPipeline: Pipeline<ChatResult, 'model_name_or_path'> = withSession(
  async (session, input) => {
    const { ui, options } = session
    const lm = await loadStartModel(session, 'lm', 'all')
    const interrupts = chatInterrupts()
    try {
      ui.line(
        `${hubLabel(options.modelNameOrPath)} · ${count(parameterCount(lm.model))} parameters · ${BRIEFLY}`,
      )
      sayUnusedSettings(session, lm.tokenizer.generation)
      return await talk(session, lm, input, interrupts)
    } finally {
      interrupts.close()
      lm.model.dispose()
    }
  },
)

async function talk(
  session: Session,
  lm: LanguageModel,
  input: AsyncIterable<string>,
  interrupts: Interrupts,
) {
  const { ui } = session
  const result: ChatResult = { turns: 0, messages: [] }
  const lines = input[Symbol.asyncIterator]()
  for (;;) {
    ui.write('> ')
    const line = await Promise.race([lines.next(), interrupts.left])
    if (line === undefined) {
      // Nobody reads the line that is still waited for; it must not keep the process alive.
      process.stdin.unref()
      break
    }
    if (line.done) break
    const said = line.value.trim()
    if (said === '') continue
    const before = { ...result }
    if (!said.startsWith('/')) result.messages = [...result.messages, { role: 'user', content: said }]
    const asked = said.startsWith('/') ? follow(said, result, ui) : 'answer'
    if (asked === 'leave') break
    if (asked === 'nothing') continue
    result.turns += 1
    try {
      result.messages = await answerTurn(session, lm, result, interrupts)
    } catch (error) {
      if (!isRefusal(error)) throw error
      ui.line(`not answered: ${error.message}`)
      Object.assign(result, before)
    }
  }
  ui.write('\n')
  void lines.return?.()
  return result
}

/** Streams the answer; the dialogue with it. An answer that was ended early stays as far as it came. */
async function answerTurn(
  session: Session,
  lm: LanguageModel,
  { messages, turns }: ChatResult,
  interrupts: Interrupts,
) {
  const { options, ui } = session
  const { maxPositions } = lm.model.config
  const room = answeringRoom(maxPositions, options.maxNewTokens, maxPositions)
  const history = await fitHistory(lm, messages, room)
  if (history.length < messages.length) ui.line('(the oldest turns no longer fit and are forgotten)')
  const show = streamed(ui)
  let soFar = ''
  interrupts.answering(true)
  // Another seed each turn: the same question, asked again, may be answered otherwise.
  const [answer] = await requestAnswers(
    session,
    lm,
    [history],
    { maxPromptLength: room, seed: options.seed + turns },
    {
      stopRequested: interrupts.interrupted,
      text(request, piece) {
        soFar += piece
        show(request, piece)
      },
    },
  ).finally(() => interrupts.answering(false))
  ui.write(answer ? '\n' : ' …\n')
  const content = answer?.text ?? trimAnswer(soFar, history, lm.template)
  return [...history, { role: 'assistant' as const, content }]
}
