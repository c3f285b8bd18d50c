/** What can be said to the chat itself: lines that begin with a slash. */
import { existsSync } from 'node:fs'
import type { Message } from '../../dialogue.js'
import { knownError } from '../../errors.js'
import { writeWhole } from '../../files/whole.js'
import { amount } from '../../show/units.js'
import type { Ui } from '../../terminal/ui.js'

export interface Talk {
  /** Answers given, those of dialogues that were reset included. */
  turns: number
  /** The dialogue as it stands, a system message first where there is one. */
  messages: Message[]
}

/** What a line asks for: another answer, nothing more, or to leave. */
export type Asked = 'answer' | 'nothing' | 'leave'

interface ChatCommand {
  /** What stands behind the name. */
  takes?: string
  does: string
  run(talk: Talk, text: string, ui: Ui): Asked
}

const isSystem = ({ role }: Message) => role === 'system'

const COMMANDS: Record<string, ChatCommand> = {
  '/help': { does: 'this list', run: (_, __, ui) => sayHelp(ui) },
  '/system': {
    takes: 'TEXT',
    does: 'what the model is told before the dialogue; without a text it is told nothing',
    run: setSystem,
  },
  '/regenerate': { does: 'another answer in place of the last one', run: regenerate },
  '/save': { takes: 'FILE', does: 'writes the dialogue as a line of JSON, as data are read', run: save },
  '/reset': { does: 'begins a new dialogue; the system message stays', run: reset },
  '/quit': { does: 'leaves; so do /exit and Ctrl-C at the prompt', run: () => 'leave' },
}

export const BRIEFLY =
  '/help lists commands, /reset begins a new dialogue, /quit leaves; Ctrl-C ends an answer'

/** Follows a line that begins with a slash. Nothing that goes wrong in it ends the chat. */
export function follow(line: string, talk: Talk, ui: Ui): Asked {
  const [, name = '', text = ''] = /^(\S+)\s*(.*)$/s.exec(line) ?? []
  const command = COMMANDS[name === '/exit' ? '/quit' : name]
  if (command !== undefined && Object.hasOwn(COMMANDS, name === '/exit' ? '/quit' : name))
    return command.run(talk, text.trim(), ui)
  ui.line(`unknown command ${name}: ${BRIEFLY}`)
  return 'nothing'
}

function sayHelp(ui: Ui): Asked {
  for (const [name, { takes = '', does }] of Object.entries(COMMANDS)) {
    ui.line(`  ${`${name} ${takes}`.padEnd(14)} ${does}`)
  }
  return 'nothing'
}

function setSystem(talk: Talk, content: string, ui: Ui): Asked {
  const rest = talk.messages.filter((message) => !isSystem(message))
  talk.messages = content === '' ? rest : [{ role: 'system', content }, ...rest]
  ui.line(content === '' ? 'no system message' : 'the system message is set')
  return 'nothing'
}

function regenerate(talk: Talk, _: string, ui: Ui): Asked {
  if (talk.messages.at(-1)?.role !== 'assistant') {
    ui.line('there is no answer yet')
    return 'nothing'
  }
  talk.messages = talk.messages.slice(0, -1)
  return 'answer'
}

function save({ messages }: Talk, file: string, ui: Ui): Asked {
  if (file === '') ui.line('name a file: /save talk.jsonl')
  else if (existsSync(file)) ui.line(`${file} is there already: name another`)
  else if (messages.length === 0) ui.line('nothing was said yet')
  else {
    try {
      writeWhole(file, `${JSON.stringify({ messages })}\n`)
      ui.line(`${amount(messages.length, 'message')} written to ${file}`)
    } catch (error) {
      ui.line(`not written: ${knownError(error)?.message ?? (error as Error).message}`)
    }
  }
  return 'nothing'
}

function reset(talk: Talk, _: string, ui: Ui): Asked {
  talk.messages = talk.messages.filter(isSystem)
  ui.line('a new dialogue')
  return 'nothing'
}
