/** The template that a config names, as a form. */
import { readFileSync, statSync } from 'node:fs'
import { usageError } from '../errors.js'
import { jsonForm } from '../grading/json-form.js'
import { RUBRICS, type RubricName, rubricText } from '../grading/rubrics.js'
import type { Form, JudgeMode } from '../grading/types.js'
import { alpacaEvalForm, mtBenchForm } from './named-forms.js'
import { ownForm } from './own-form.js'

export const TEMPLATES = [...Object.keys(RUBRICS), 'mt-bench', 'alpaca-eval'] as const

/**
 * @param template a name, or the path of a text file
 * @throws ClhaError (exit 2) for what is neither, and for AlpacaEval's form where one answer is graded
 */
export function formOf(template: string, mode: JudgeMode): Form {
  if (Object.hasOwn(RUBRICS, template)) return jsonForm(rubricText(template as RubricName), mode)
  if (template === 'mt-bench') return mtBenchForm(mode)
  if (template === 'alpaca-eval') {
    if (mode === 'pairwise') return alpacaEvalForm
    throw usageError('judge_template: alpaca-eval compares two answers', 'set judge_mode: pairwise')
  }
  if (statSync(template, { throwIfNoEntry: false })?.isFile())
    return ownForm(template, readFileSync(template, 'utf8'), mode)
  throw usageError(
    `judge_template: ${template}: no template of this name, and no such file`,
    `the names are ${TEMPLATES.join(', ')}`,
  )
}
