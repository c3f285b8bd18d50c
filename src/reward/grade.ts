/** A language model that grades one answer: what it is asked, and the grade in its reply. */
import { randomBytes } from 'node:crypto'
import type { Message, Prompt } from '../dialogue.js'
import { dialogueText } from '../grading/dialogue-text.js'
import { fenceWith, markOf } from '../grading/fence.js'
import { jsonForm } from '../grading/json-form.js'
import { readJsonGrade } from '../grading/read-reply.js'
import { rubricText } from '../grading/rubrics.js'
import { type Form, Unreadable } from '../grading/types.js'
import { HttpFailure } from '../http/post-json.js'

/** Scores are kept, so the marks around the material need not be the same in the next run. */
const SECRET = randomBytes(32).toString('hex')

const formOf = (rubric = rubricText('both')): Form => jsonForm(rubric, 'single')

/** All that is asked but for the material: what makes a grade beside model, prompt and answer. */
export const gradingText = (rubric?: string): string =>
  JSON.stringify(formOf(rubric).messages({ prompt: '', answers: [''] }, (name) => name))

/**
 * The messages that ask for a grade.
 * @param failed the reply of before, which held none: it is shown with a reminder
 */
export function gradingMessages(
  rubric: string | undefined,
  prompt: Prompt,
  answer: string,
  failed?: string,
): Message[] {
  const form = formOf(rubric)
  const fence = fenceWith(markOf(SECRET, [dialogueText(prompt), answer]))
  const asked = form.messages({ prompt, answers: [answer] }, fence)
  if (failed === undefined) return asked
  return [...asked, { role: 'assistant', content: failed }, { role: 'user', content: form.reminder }]
}

/** The grade, 1 to 10. @throws HttpFailure (to be tried again) for a reply that holds none, or several that differ */
export function gradeOf(reply: string): number {
  try {
    return readJsonGrade(reply).grade
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    throw new HttpFailure(error.message, { retry: true, reply })
  }
}
