/** The syntax tree of a template. */
import type { Value } from './values.js'

export interface CallArguments {
  args: Expression[]
  named: [string, Expression][]
  /** `*args` and `**kwargs`. */
  spread?: Expression
  spreadNamed?: Expression
}

export type Expression =
  | { type: 'constant'; value: Value }
  | { type: 'name'; name: string }
  | { type: 'list'; items: Expression[] }
  | { type: 'tuple'; items: Expression[] }
  | { type: 'dict'; entries: [Expression, Expression][] }
  | { type: 'attribute'; of: Expression; name: string }
  | { type: 'item'; of: Expression; index: Expression }
  | { type: 'slice'; of: Expression; parts: (Expression | undefined)[] }
  | { type: 'call'; callee: Expression; given: CallArguments }
  /** Without operand inside `{% filter %}`. */
  | { type: 'filter'; name: string; operand?: Expression; given: CallArguments }
  | { type: 'test'; name: string; operand: Expression; given: CallArguments; negated: boolean }
  | { type: 'unary'; operator: '-' | '+' | 'not'; operand: Expression }
  | { type: 'binary'; operator: string; left: Expression; right: Expression }
  | { type: 'compare'; first: Expression; rest: [string, Expression][] }
  | { type: 'concat'; parts: Expression[] }
  | { type: 'condition'; test: Expression; yes: Expression; no?: Expression }

/** What is assigned to: names, or the attribute of a namespace. */
export type Target =
  | { type: 'name'; name: string }
  | { type: 'attribute'; object: string; name: string }
  | { type: 'targets'; targets: Target[] }

export interface MacroNode {
  type: 'macro'
  name: string
  parameters: { name: string; fallback?: Expression }[]
  body: Statement[]
  /** `caller`, `varargs` and `kwargs` are taken only by macros that speak of them. */
  uses: { caller: boolean; varargs: boolean; kwargs: boolean }
}

export type Statement =
  | { type: 'data'; text: string }
  | { type: 'print'; expression: Expression }
  | { type: 'if'; branches: { test: Expression; body: Statement[] }[]; otherwise: Statement[] }
  | ForNode
  | { type: 'set'; target: Target; value: Expression }
  | { type: 'set block'; target: Target; filter?: Expression; body: Statement[] }
  | { type: 'with'; values: [Target, Expression][]; body: Statement[] }
  | { type: 'filter block'; filter: Expression; body: Statement[] }
  | MacroNode
  | { type: 'call block'; call: Expression; macro: MacroNode }
  | { type: 'generation'; body: Statement[] }
  | { type: 'scope'; body: Statement[] }
  | { type: 'break' | 'continue' }

export interface ForNode {
  type: 'for'
  target: Target
  over: Expression
  filter?: Expression
  recursive: boolean
  body: Statement[]
  otherwise: Statement[]
}
