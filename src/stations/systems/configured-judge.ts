/** The judge that the config names, and how it is asked. */
import type { SectionOptions } from '../../config/options.js'
import { usageError } from '../../errors.js'
import { sha256 } from '../../files/digest.js'
import { fenceWith } from '../../grading/fence.js'
import type { Prices } from '../../judges/cost.js'
import { formOf } from '../../judges/forms.js'
import { type JudgeEndpoint, openJudge } from '../../judges/judge-endpoint.js'
import type { Bench } from '../../judges/judge-pairing.js'
import { secretOf } from '../score/endpoint-scores.js'

export type JudgeKeys = SectionOptions<'judge'>

/** @throws ClhaError (exit 2) for what is missing or can't be used */
export function configuredJudge(options: JudgeKeys): JudgeEndpoint {
  const { judgeEndpoint: url, judgeModel: model, judgeTokenEnv: tokenName } = options
  if (url === undefined || model === undefined) {
    const key = url === undefined ? 'judge_endpoint' : 'judge_model'
    throw usageError(`${key} is missing`, `set it in a config, or with --${key.replaceAll('_', '-')}`)
  }
  return openJudge({
    url,
    model,
    answersAs: options.judgeAnswersAs,
    timeoutMs: options.judgeTimeout * 1000,
    retries: options.judgeRetries,
    token: tokenName === undefined ? undefined : secretOf(tokenName, 'judge_token_env'),
    temperature: options.judgeTemperature,
    maxTokens: options.judgeMaxTokens,
    responseFormat: options.judgeResponseFormat,
    body: options.judgeBody,
  })
}

export const pricesOf = ({
  judgePromptPrice: prompt,
  judgeReplyPrice: reply,
}: JudgeKeys): Prices | undefined =>
  prompt === undefined || reply === undefined ? undefined : { prompt, reply }

/**
 * @param name of the judge in the record
 * @param guided shows references
 */
export function benchOf(
  options: JudgeKeys,
  judge: JudgeEndpoint,
  { name, guided }: { name?: string; guided: boolean },
): Omit<Bench, 'secret'> {
  const { judgeTemplate: template, judgeMode: mode, judgeModel: model } = options
  const form = formOf(template, mode)
  const { temperature, maxTokens, responseFormat, body } = judge
  // What the judge is told is hashed as it is told, around empty material: another wording is another judge.
  const question = { prompt: '', answers: ['', ''] }
  const told = (more: { reference?: string }) => form.messages({ ...question, ...more }, fenceWith(''))
  const asked = told(guided ? { reference: '' } : {})
  if (guided && JSON.stringify(asked) === JSON.stringify(told({})))
    throw usageError(
      `judge_reference has no effect: judge_template ${template} shows no reference`,
      'leave it out, or take another template; in a file of your own it stands at {{reference}}',
    )
  return {
    form,
    mode,
    guided,
    prices: pricesOf(options),
    rater: name ?? `${model}, ${template}${mode === 'single' ? ', single' : ''}`,
    settings: sha256(
      JSON.stringify([asked, form.reminder, mode, model, temperature, maxTokens, responseFormat, body]),
    ),
  }
}
