/** AdamW over all parameters at once, by libtorch's fused kernel. Loshchilov & Hutter, arXiv 1711.05101. */
import { f32, gradOf, keep, noGrad, ops, scope, setGrad, type Tensor } from '../tensor/index.js'
import type { Optimizer } from './one-moment.js'

export interface AdamWOptions {
  beta1: number
  beta2: number
  epsilon: number
  weightDecay: number
  /** `matrices` leaves norm gains and biases alone, as Hugging Face's Trainer; `all` as plain torch.optim.AdamW. */
  decayOn: 'all' | 'matrices'
}

export const ADAMW_DEFAULTS: AdamWOptions = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  decayOn: 'matrices',
}

interface Slot {
  name: string
  parameter: Tensor
  decays: boolean
  mean: Tensor
  square: Tensor
  count: Tensor
}

/** Moments of a parameter, in memory of their own. */
function slotOf(name: string, parameter: Tensor, options: AdamWOptions): Slot {
  const moment = () => keep(scope(() => ops.zerosLike(parameter)))
  return {
    name,
    parameter,
    decays: options.decayOn === 'all' || parameter.shape.length > 1,
    mean: moment(),
    square: moment(),
    count: keep(f32([0], [])),
  }
}

/**
 * AdamW over named parameters; their moments are kept until `dispose`. `step` takes the learning rate.
 * @param parameters by name; matrices are those of two dimensions and more
 * @returns its state: two moments of each parameter, in its shape and number type, and its step count
 * @example
 * ```ts
 * const weight = requiresGrad(f64([1]))
 * const adamw = createAdamW([['weight', weight]], { ...ADAMW_DEFAULTS, weightDecay: 0 })
 * backward(ops.sum(ops.mul(weight, weight)))
 * // The first step is as long as the learning rate.
 * adamw.step(0.1)
 * weight.numbers()[0].toFixed(4) // '0.9000'
 * ```
 */
export function createAdamW(
  parameters: Iterable<readonly [string, Tensor]>,
  options: AdamWOptions,
): Optimizer {
  const slots = noGrad(() => Array.from(parameters, ([name, parameter]) => slotOf(name, parameter, options)))
  const decaying = slots.filter((s) => s.decays)
  const others = slots.filter((s) => !s.decays)
  return {
    step: (learningRate) =>
      noGrad(() =>
        scope(() => {
          update(decaying, learningRate, options)
          update(others, learningRate, { ...options, weightDecay: 0 })
        }),
      ),
    clearGradients: () => {
      for (const { parameter } of slots) setGrad(parameter)
    },
    state: () =>
      slots.flatMap(({ name, mean, square, count }): [string, Tensor][] => [
        [`exp_avg.${name}`, mean],
        [`exp_avg_sq.${name}`, square],
        [`step.${name}`, count],
      ]),
    dispose: () => {
      for (const { mean, square, count } of slots) for (const t of [mean, square, count]) t.dispose()
    },
  }
}

/** One step of the slots that have a gradient, in one call. */
function update(slots: readonly Slot[], learningRate: number, options: AdamWOptions): void {
  const ready = slots.flatMap((slot) => {
    const grad = gradOf(slot.parameter)
    return grad ? [{ ...slot, grad }] : []
  })
  if (ready.length === 0) return
  ops.foreachAddInPlace(
    ready.map((s) => s.count),
    1,
  )
  ops.fusedAdamW(
    ready.map((s) => s.parameter),
    ready.map((s) => s.grad),
    ready.map((s) => s.mean),
    ready.map((s) => s.square),
    [],
    ready.map((s) => s.count),
    learningRate,
    options.beta1,
    options.beta2,
    options.weightDecay,
    options.epsilon,
    false,
    false,
  )
}
