/** What should not be in a text: parts of chat templates, role names, characters that nobody wrote. */
import type { Example } from '../data/example.js'
import { type Finding, finding, type RuleCode } from './findings.js'

const REMNANT =
  /<\|(?:im_start|im_end|im_sep|eot_id|start_header_id|end_header_id|begin_of_text|end_of_text|endoftext|end|user|assistant|system|prompter|pad)\|>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:start|end)_of_turn>|<\/s>|^### (?:Instruction|Response|Input):/m

const ROLE_LINE = /^[ \t]*(?:Human|Assistant|User|System|USER|ASSISTANT|SYSTEM|H|A):(?:\s|$)/m

// C0 without tab, newline and carriage return, DEL, C1.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this looks for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

interface Text {
  name: string
  text: string
  isAnswer: boolean
}

/** Findings about the texts of one row; each kind is told once per text. */
export function textFindings(example: Example): Finding[] {
  const literal = typeof example.prompt === 'string'
  return textsOf(example).flatMap(({ name, text, isAnswer }) => {
    const found: Finding[] = []
    const tell = (code: RuleCode, what: string) => found.push(finding(code, `${name}: ${what}`, example))
    // Literal prompts are rendered already: markers belong there.
    if (isAnswer || !literal) {
      const remnant = REMNANT.exec(text)?.[0]
      if (remnant !== undefined) tell('template_remnant', `holds "${remnant}"`)
    }
    const role = isAnswer ? ROLE_LINE.exec(text)?.[0].trim() : undefined
    if (role !== undefined) tell('role_marker', `a line begins with "${role}"`)
    for (const [code, pattern] of CHARACTERS) {
      const at = text.search(pattern)
      if (at >= 0) tell(code, `${nameOf(text.charCodeAt(at))} at character ${at + 1}`)
    }
    return found
  })
}

const CHARACTERS: readonly (readonly [RuleCode, RegExp])[] = [
  ['broken_characters', /\ufffd/],
  ['control_characters', CONTROL],
  ['bidi_controls', BIDI],
]

const nameOf = (unit: number) => `U+${unit.toString(16).toUpperCase().padStart(4, '0')}`

function textsOf({ prompt, candidates }: Example): Text[] {
  const turns =
    typeof prompt === 'string'
      ? [{ name: 'prompt', text: prompt, isAnswer: false }]
      : prompt.map(({ role, content }, i) => ({
          name: `turn ${i + 1} (${role})`,
          text: content,
          isAnswer: false,
        }))
  return [...turns, ...candidates.map(({ text }, i) => ({ name: answerName(i), text, isAnswer: true }))]
}

/** Answers count from 1. */
export const answerName = (i: number): string => `answer ${i + 1}`
