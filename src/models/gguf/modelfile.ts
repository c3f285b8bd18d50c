/** An Ollama Modelfile beside a GGUF file: where the model is, how a dialogue is written, where an answer ends. */
import type { Message } from '../../dialogue.js'
import type { ChatTemplate } from '../../text/template.js'

interface ModelfileParts {
  /** Name of the GGUF file. */
  file: string
  /** Name of the base's file, where `file` is an adapter. */
  base?: string
  template: ChatTemplate
  /** Texts that end an answer. */
  stops: readonly string[]
  /** What the tokenizer puts in front by itself. */
  bos?: string
}

/** Without a template that Go can write, Ollama makes one of the file's own. */
export function modelfile({ file, base, template, stops, bos }: ModelfileParts) {
  const go = goTemplate(template, bos)
  const lines = [
    ...(base === undefined ? [`FROM ./${file}`] : [`FROM ./${base}`, `ADAPTER ./${file}`]),
    ...(go === undefined ? [] : [`TEMPLATE """${go}"""`]),
    ...stops.map((stop) => `PARAMETER stop ${JSON.stringify(stop)}`),
  ]
  return { text: `${lines.join('\n')}\n`, hasTemplate: go !== undefined }
}

/** What a template writes around the content of a role, where the assistant has to speak, and before a dialogue without a system turn. */
interface Turns {
  lead: string
  system?: [string, string]
  user: [string, string]
  assistant: [string, string]
  generation: string
}

type Role = 'system' | 'user' | 'assistant'
type Render = (messages: readonly Message[], addGenerationPrompt: boolean) => string | undefined

/**
 * The template in Go's language, for templates that write every turn by itself, whatever comes before it.
 * @returns undefined for others, and for texts that Go would read as its own
 */
function goTemplate(template: ChatTemplate, bos: string | undefined): string | undefined {
  const render: Render = (messages, addGenerationPrompt) => {
    try {
      const text = template.render(messages, { addGenerationPrompt })
      return bos !== undefined && text.startsWith(bos) ? text.slice(bos.length) : text
    } catch {
      return undefined
    }
  }
  const turns = turnsOf(render)
  if (!turns || !agrees(turns, render)) return undefined
  const { lead, generation } = turns
  const texts = [lead, generation, ...ROLES.flatMap((role) => turns[role] ?? [])]
  if (texts.some((text) => /\{\{|\}\}|"""/.test(text))) return undefined
  const known = ROLES.filter((role) => turns[role])
  const cases = known.map((role, i) => {
    const [before, after] = turns[role] as [string, string]
    return `{{ ${i === 0 ? 'if' : 'else if'} eq .Role "${role}" }}${before}{{ .Content }}${after}`
  })
  const start = lead === '' ? '' : `{{ if ne (index .Messages 0).Role "system" }}${lead}{{ end }}`
  return `${start}{{ range .Messages }}${cases.join('')}{{ end }}{{ end }}${generation}`
}

const ROLES: readonly Role[] = ['system', 'user', 'assistant']

const message = (role: Role, content: string): Message => ({ role, content })
const CONTENT = { system: 'Sys Tem', user: 'Us Er', assistant: 'Assis Tant', again: 'Aga In' }

function turnsOf(render: Render): Turns | undefined {
  const asked = message('user', CONTENT.user)
  const answered = [asked, message('assistant', CONTENT.assistant)]
  const one = render([asked], false)
  const two = render(answered, false)
  const three = render([...answered, message('user', CONTENT.again)], false)
  const open = render([asked], true)
  if (one === undefined || two === undefined) return undefined
  if (!open?.startsWith(one) || !two.startsWith(one) || !three?.startsWith(two)) return undefined
  const user = around(three.slice(two.length), CONTENT.again)
  const assistant = around(two.slice(one.length), CONTENT.assistant)
  const first = user?.join(CONTENT.user)
  if (!user || !assistant || first === undefined || !one.endsWith(first)) return undefined
  const withSystem = render([message('system', CONTENT.system), asked], false)
  const system = withSystem?.endsWith(first)
    ? around(withSystem.slice(0, -first.length), CONTENT.system)
    : undefined
  // One that takes system turns in a way of its own would lose them here.
  if (withSystem !== undefined && !system) return undefined
  const lead = one.slice(0, -first.length)
  return { lead, ...(system && { system }), user, assistant, generation: open.slice(one.length) }
}

function around(text: string, content: string): [string, string] | undefined {
  const at = text.indexOf(content)
  return at < 0 ? undefined : [text.slice(0, at), text.slice(at + content.length)]
}

/** Dialogues on which both have to write the same. */
const DIALOGUES: readonly Role[][] = [
  ['user'],
  ['user', 'assistant', 'user'],
  ['system', 'user'],
  ['system', 'user', 'assistant', 'user', 'assistant', 'user'],
]

function agrees(turns: Turns, render: Render): boolean {
  return DIALOGUES.every((roles) => {
    const opensWithSystem = roles[0] === 'system'
    // A template without system turns is not asked for them.
    if (opensWithSystem && !turns.system) return true
    const messages = roles.map((role, i) => message(role, `content ${i}`))
    const made = messages.map(({ role, content }) => (turns[role as Role] as [string, string]).join(content))
    return (opensWithSystem ? '' : turns.lead) + made.join('') + turns.generation === render(messages, true)
  })
}
