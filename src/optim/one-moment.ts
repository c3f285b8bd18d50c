/** What training asks of an optimizer, and the kind that keeps one moment a parameter. */
import { gradOf, keep, noGrad, ops, scope, setGrad, type Tensor } from '../tensor/index.js'

export interface Optimizer {
  /** One update from the accumulated gradients; parameters without one stay as they are. */
  step(learningRate: number): void
  clearGradients(): void
  /** Moments (and step counts, `step.…`) by name, the optimizer's own memory. */
  state(): [string, Tensor][]
  dispose(): void
}

/** An optimizer that keeps one moment a parameter and updates parameter by parameter. */
export function oneMoment(
  parameters: Iterable<readonly [string, Tensor]>,
  momentName: string,
  update: (parameter: Tensor, gradient: Tensor, moment: Tensor, learningRate: number) => void,
): Optimizer {
  const slots = noGrad(() =>
    Array.from(parameters, ([name, parameter]) => {
      return { name, parameter, moment: keep(scope(() => ops.zerosLike(parameter))) }
    }),
  )
  return {
    step: (learningRate) =>
      noGrad(() => {
        for (const { parameter, moment } of slots) {
          scope(() => {
            const gradient = gradOf(parameter)
            if (gradient) update(parameter, gradient, moment, learningRate)
          })
        }
      }),
    clearGradients: () => {
      for (const { parameter } of slots) setGrad(parameter)
    },
    state: () => slots.map(({ name, moment }) => [`${momentName}.${name}`, moment]),
    dispose: () => {
      for (const { moment } of slots) moment.dispose()
    },
  }
}
