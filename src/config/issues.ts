/** Turns what zod says about a value into sentences: the key, what it expects, what was found. */
import type { z } from 'zod'
import { METHODS } from '../methods/registry.js'
import { expectation, found, namedValues, schemaAt } from './describe.js'
import { type ConfigKey, configSchema, type JsonSchema, keyZod } from './schema.js'
import { didYouMean, suggest } from './suggest.js'

export interface ValueIssue {
  /** From the key down to the part that is wrong. */
  path: PropertyKey[]
  text: string
  /** Whether to point at a key (an unknown one) or at a value. */
  part: 'key' | 'value'
}

/** Trackers that Python alone can write to, and how each takes in what TensorBoard reads. */
const TRACKERS: Record<string, string> = {
  wandb: 'wandb sync RUN/tensorboard',
  trackio: "trackio.import_tf_events('RUN/tensorboard', project='NAME') in Python",
  swanlab: 'swanlab convert -t tensorboard with RUN/tensorboard',
  comet_ml: '',
  neptune: '',
  clearml: '',
}

/** What is wrong with the value of a key; an empty list when nothing is. */
export function checkValue(key: ConfigKey, value: unknown): ValueIssue[] {
  const result = keyZod(key).safeParse(value)
  if (result.success) return []
  const schema = configSchema().properties[key]
  if (key === 'report_to') {
    const tracker = [value].flat().find((name) => Object.hasOwn(TRACKERS, String(name)))
    if (tracker) return [{ path: [key], part: 'value', text: unknownTracker(String(tracker)) }]
  }
  return flatten(result.error.issues, value).flatMap((issue) => explain(key, schema, value, issue))
}

const unknownTracker = (name: string) =>
  `report_to: clha does not write to ${name}; what works is tensorboard, mlflow, jsonl (metrics as JSON Lines) and none${TRACKERS[name] && `. ${name} takes in what tensorboard wrote: ${TRACKERS[name]}`}`

type Issue = z.core.$ZodIssue

/** Replaces the complaint of a union by that of the one branch that fits the value's kind, if there is one. */
function flatten(issues: readonly Issue[], value: unknown): Issue[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'invalid_union') return [issue]
    const fitting = issue.errors.filter(
      (branch) => !branch.some((b) => b.path.length === 0 && b.code === 'invalid_type'),
    )
    if (fitting.length !== 1) return [issue]
    return flatten(fitting[0], value).map(
      (inner) => ({ ...inner, path: [...issue.path, ...inner.path] }) as Issue,
    )
  })
}

function explain(key: ConfigKey, schema: JsonSchema, value: unknown, issue: Issue): ValueIssue[] {
  const path = [key, ...issue.path]
  const name = path.map(String).join('.')
  const here = schemaAt(schema, issue.path)
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(here?.properties ?? here?.anyOf?.find((b) => b.properties)?.properties ?? {})
    return issue.keys.map((unknown) => ({
      path: [...path, unknown],
      part: 'key' as const,
      text: `unknown key "${unknown}" in ${name}.${didYouMean(suggest(unknown, known))}`,
    }))
  }
  const actual = issue.path.reduce<unknown>(
    (v, step) => (v as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  )
  if (!here) return [{ path, part: 'value', text: `${name}: ${issue.message}` }]
  if (actual === undefined) {
    const text = `${name} is missing: expected ${expectation(here)}`
    return [{ path: path.slice(0, -1), part: 'key', text }]
  }
  const near = typeof actual === 'string' ? adviceOn(key, actual, namedValues(here)) : ''
  const text = `${name}: expected ${expectation(here)}, found ${found(actual)}${near}`
  return [{ path, part: 'value', text }]
}

/** Other tools call a loss what is a method here, and the other way round. */
function adviceOn(key: ConfigKey, value: string, known: readonly string[]): string {
  if (key === 'loss_type' && Object.hasOwn(METHODS, value)) return `. It is a method: method: ${value}`
  const of = Object.entries(METHODS).find(([, { losses = {} }]) => Object.hasOwn(losses, value))
  if (key === 'method' && of) return `. It is a loss of ${of[0]}: method: ${of[0]}, loss_type: ${value}`
  return didYouMean(suggest(value, known), '.')
}
