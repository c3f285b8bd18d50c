/** A reward model behind the contracts of vLLM (`/score`, `/classify`, `/pooling`), TEI (`/predict`) and plain JSON (`/rewards`). */

import { randomUUID } from 'node:crypto'
import type { Context, Hono } from 'hono'
import { z } from 'zod'
import type { Prompt } from '../dialogue.js'
import { sigmoid } from '../statistics/statistics.js'
import { badRequest } from './api-error.js'
import { checkModel } from './generation-routes.js'
import type { ReadBody } from './read-body.js'
import { capped, MOST_TEXTS, messagesField } from './request-fields.js'
import type { Scorer, ToScore } from './scorer.js'

export interface ServedRewardModel {
  name: string
  scorer: Scorer
}

const texts = z.union([z.string(), capped(z.string(), MOST_TEXTS)])

/** Rewards are raw unless their sigmoid is asked for. */
const common = {
  model: z.string().nullish(),
  use_activation: z.boolean().nullish(),
  activation: z.boolean().nullish(),
  user: z.unknown().optional(),
}
const scoreFields = z.strictObject({ ...common, text_1: texts, text_2: texts })
const textFields = z.strictObject({ ...common, input: texts })
const dialogueFields = z.strictObject({
  ...common,
  messages: messagesField,
  add_generation_prompt: z.literal(false).nullish(),
})
const oneTextFields = z.union([textFields, dialogueFields])
const sequence = z.union([z.array(z.string()).min(1).max(2), z.string()])
const predictFields = z.strictObject({
  inputs: z.union([z.string(), z.tuple([z.string(), z.string()]), capped(sequence, MOST_TEXTS)]),
  raw_scores: z.boolean().nullish(),
  truncate: z.literal(false).nullish(),
  truncation_direction: z.unknown().optional(),
})
const rewardFields = z.strictObject({
  model: z.string().nullish(),
  prompt: z.union([z.string(), messagesField]),
  answers: capped(z.string(), MOST_TEXTS),
})

export function rewardRoutes(app: Hono, { name, scorer }: ServedRewardModel, readBody: ReadBody): void {
  const flat = async (c: Context, lists: ToScore[], activate: boolean) => {
    const { rewards, tokens } = await scorer.score(lists, c.req.raw.signal)
    const values = rewards.flat()
    return { values: activate ? values.map(sigmoid) : values, usage: usageOf(tokens) }
  }
  const listOf = (kind: string, data: object[], usage: object) => ({
    id: `${kind}-${randomUUID()}`,
    object: 'list',
    created: Math.floor(Date.now() / 1000),
    model: name,
    data,
    usage,
  })
  app.post('/score', async (c) => {
    const fields = await readBody(c, scoreFields)
    checkModel(fields.model ?? undefined, name)
    const { values, usage } = await flat(c, pairs(fields, scorer), wantsSigmoid(fields))
    const data = values.map((score, index) => ({ index, object: 'score', score }))
    return c.json(listOf('score', data, usage))
  })
  app.post('/classify', async (c) => {
    const fields = await readBody(c, oneTextFields)
    checkModel(fields.model ?? undefined, name)
    const { values, usage } = await flat(c, wholeTexts(fields), wantsSigmoid(fields))
    const data = values.map((value, index) => ({ index, label: LABEL, probs: [value], num_classes: 1 }))
    return c.json(listOf('classify', data, usage))
  })
  app.post('/pooling', async (c) => {
    const fields = await readBody(c, oneTextFields)
    checkModel(fields.model ?? undefined, name)
    const { values, usage } = await flat(c, wholeTexts(fields), wantsSigmoid(fields))
    const data = values.map((value, index) => ({ index, object: 'pooling', data: [value] }))
    return c.json(listOf('pool', data, usage))
  })
  app.post('/predict', async (c) => {
    const { inputs, raw_scores } = await readBody(c, predictFields)
    const { lists, alone } = sequences(inputs, scorer)
    const { values } = await flat(c, lists, raw_scores !== true)
    const predictions = values.map((score) => [{ score, label: LABEL }])
    return c.json(alone ? predictions[0] : predictions)
  })
  app.post('/rewards', async (c) => {
    const { model, prompt, answers } = await readBody(c, rewardFields)
    checkModel(model ?? undefined, name)
    const { values, usage } = await flat(c, [{ prompt, answers }], false)
    return c.json({ rewards: values, usage })
  })
}

const LABEL = 'LABEL_0'

const usageOf = (tokens: number) => ({ prompt_tokens: tokens, completion_tokens: 0, total_tokens: tokens })

const wantsSigmoid = ({
  use_activation,
  activation,
}: {
  use_activation?: boolean | null
  activation?: boolean | null
}) => use_activation ?? activation ?? false

/** One text against all others, or one against one. */
function pairs({ text_1, text_2 }: z.output<typeof scoreFields>, scorer: Scorer): ToScore[] {
  const left = [text_1].flat()
  const right = [text_2].flat()
  if (left.length === 1) return [{ prompt: scorer.promptOf(left[0]), answers: right }]
  if (left.length === right.length) {
    return left.map((text, i) => ({ prompt: scorer.promptOf(text), answers: [right[i]] }))
  }
  throw badRequest(`${left.length} first texts and ${right.length} second ones`, 'text_1')
}

/** A dialogue's last turn is the answer; a text is scored as it stands. */
function wholeTexts(fields: z.output<typeof oneTextFields>): ToScore[] {
  if ('input' in fields) return [fields.input].flat().map((text) => ({ text }))
  const { messages } = fields
  const last = messages.at(-1)
  if (last?.role !== 'assistant') throw badRequest('the last message has to be the answer', 'messages')
  return [{ prompt: messages.slice(0, -1) as Prompt, answers: [last.content] }]
}

/** As TEI reads them: a text, a pair, or a list of these in which a text stands in brackets too. */
function sequences(inputs: z.output<typeof predictFields>['inputs'], scorer: Scorer) {
  const one = (item: string | readonly string[]): ToScore => {
    const [first, second] = [item].flat()
    return second === undefined ? { text: first } : { prompt: scorer.promptOf(first), answers: [second] }
  }
  if (typeof inputs === 'string') return { lists: [one(inputs)], alone: true }
  if (inputs.length === 2 && inputs.every((item) => typeof item === 'string')) {
    return { lists: [one(inputs as string[])], alone: true }
  }
  return { lists: inputs.map(one), alone: false }
}
