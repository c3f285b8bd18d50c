/** A template of one's own: a rubric for our form, or a whole prompt with places for the material. */
import { usageError } from '../errors.js'
import { dialogueText } from '../grading/dialogue-text.js'
import { jsonForm, jsonReply } from '../grading/json-form.js'
import { readBracketGrade, readBracketVerdict } from '../grading/read-reply.js'
import { type Form, type JudgeMode, type Question, Unreadable } from '../grading/types.js'

const PLACE = /\{\{\s*([\w-]+)\s*\}\}/g

const NEEDED: Record<JudgeMode, readonly string[]> = {
  pairwise: ['prompt', 'answer_a', 'answer_b'],
  single: ['prompt', 'answer'],
}

/**
 * A text without places is a rubric. One with places is all that the judge is told; each place gets its part between
 * marked lines, and the reply may be JSON as ours or carry `[[A]]`, `[[B]]`, `[[C]]`, `[[7]]`.
 * @param path of the file, for messages
 * @throws ClhaError (exit 2) for places that are missing or unknown
 */
export function ownForm(path: string, text: string, mode: JudgeMode): Form {
  const found = [...text.matchAll(PLACE)].map(([, name]) => name)
  if (found.length === 0) return jsonForm(text.trim(), mode)
  const missing = NEEDED[mode].filter((name) => !found.includes(name))
  const unknown = found.find((name) => ![...NEEDED[mode], 'reference'].includes(name))
  if (missing.length > 0 || unknown !== undefined) {
    const what =
      missing.length > 0 ? `has no {{${missing[0]}}}` : `has a place {{${unknown}}} that nothing fills`
    const all = NEEDED[mode].map((name) => `{{${name}}}`).join(', ')
    throw usageError(
      `judge_template: ${path} ${what}`,
      `judge_mode: ${mode} fills ${all}, and {{reference}} where there is one`,
    )
  }
  const json = jsonReply(mode)
  const brackets = mode === 'pairwise' ? readBracketVerdict : readBracketGrade
  return {
    messages: (question, fence) => [
      {
        role: 'user',
        content: text.replace(PLACE, (_, name: string) =>
          fence(name.replaceAll('_', ' '), partOf(question, name)),
        ),
      },
    ],
    read: (reply) => either(reply, json.read, brackets),
    reminder: json.reminder,
    schema: json.schema,
  }
}

function partOf({ prompt, answers, reference }: Question, name: string): string {
  if (name === 'prompt') return dialogueText(prompt)
  if (name === 'reference') return reference ?? '(none)'
  return answers[name === 'answer_b' ? 1 : 0]
}

/** Both syntaxes are looked for; where both are found they have to agree. */
function either(reply: string, ...readers: readonly Form['read'][]): ReturnType<Form['read']> {
  const results = readers.map((read) => {
    try {
      return read(reply)
    } catch (error) {
      return error as Unreadable
    }
  })
  const said = results.filter((result) => !(result instanceof Unreadable))
  if (said.length === 0) throw results[0]
  const several = results.find(
    (result) => result instanceof Unreadable && !/^no (verdict|score)/.test(result.message),
  )
  if (several) throw several
  if (new Set(said.map((one) => JSON.stringify(one))).size > 1)
    throw new Unreadable('two verdicts that differ in one reply')
  return said[0] as ReturnType<Form['read']>
}
