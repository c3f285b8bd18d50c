/** What the generated operators stand on: look an operator up once, call it, wrap what it returns. */
import type { Generator } from './generator.js'
import { native } from './native.js'
import { Tensor, wrap } from './tensor.js'

export type Argument =
  | Tensor
  | Generator
  | number
  | string
  | boolean
  | null
  | undefined
  | readonly (Tensor | number | boolean | null)[]

function travel(argument: Argument): unknown {
  if (argument === null || typeof argument !== 'object') return argument
  if (Array.isArray(argument)) return argument.map((a) => (a instanceof Tensor ? a.handle : a))
  return (argument as Tensor | Generator).handle
}

/** An operator by its full name, found at its first call. */
export function operator(name: string, overload: string): (args: Argument[]) => unknown {
  let index: number | undefined
  return (args) => {
    index ??= native().findOperator(name, overload)
    return native().call(index, args.map(travel))
  }
}

export const asTensor = (value: unknown, name: string): Tensor => wrap(value as number, name)
export const asTensors = (value: unknown, name: string): Tensor[] =>
  (value as number[]).map((h) => wrap(h, name))
