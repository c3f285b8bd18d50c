/** What a check of data can find, and how much it matters. */
import type { Example } from '../data/example.js'

/** From the worst on: wrong for training; to be looked at; good to know. */
export const SEVERITIES = ['error', 'warning', 'note'] as const
export type Severity = (typeof SEVERITIES)[number]

export interface Rule {
  severity: Severity
  /** What it finds, as one line of a table. */
  meaning: string
}

const rule = (severity: Severity, meaning: string): Rule => ({ severity, meaning })

/** Every rule by the code that findings carry. */
export const RULES = {
  unreadable: rule('error', 'the row cannot be read'),
  unusable: rule(
    'warning',
    'the row teaches nothing and is left out: empty or identical answers and the like',
  ),
  contradictory_labels: rule('error', 'the same two answers, labelled both ways'),
  prompt_in_both: rule(
    'error',
    'the prompt, but for case, spacing and punctuation, is in the other data too',
  ),
  near_prompt_in_both: rule('warning', 'a nearly identical prompt is in the other data'),
  template_remnant: rule('error', 'markers of a chat template inside a message or an answer'),
  near_identical_answers: rule('warning', 'two answers that are nearly the same text'),
  chosen_in_rejected: rule('warning', 'the better answer is a part of the worse one'),
  rejected_in_chosen: rule('note', 'the worse answer is a part of the better one'),
  prompt_in_answer: rule('warning', 'the answer begins with the question'),
  role_marker: rule('warning', 'a line of the answer begins with a role, such as Human:'),
  broken_characters: rule('warning', 'U+FFFD, where text was decoded wrongly'),
  control_characters: rule('warning', 'control characters that are no white space'),
  bidi_controls: rule('warning', 'characters that turn the direction of the text'),
  duplicate_row: rule('note', 'the row stands before already'),
  length_bias: rule('warning', 'better answers differ clearly in length'),
  slight_length_bias: rule('note', 'better answers differ in length'),
} as const satisfies Record<string, Rule>

export type RuleCode = keyof typeof RULES

export interface Finding {
  code: RuleCode
  severity: Severity
  /** Absent where it concerns the data as a whole. */
  file?: string
  row?: number
  /** What was found, and where in the row. */
  message: string
}

type Place = Pick<Example, 'file' | 'row'>

export const finding = (code: RuleCode, message: string, place?: Place): Finding => ({
  code,
  severity: RULES[code].severity,
  ...(place ? { file: place.file, row: place.row } : {}),
  message,
})

/** Whether a severity is as bad as another one, or worse. */
export const reaches = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) <= SEVERITIES.indexOf(least)
