/** Learning-rate schedules of transformers, optimizers of torch.optim. */
import { camelKeys } from '../../src/key-names.js'
import { clipGradients } from '../../src/optim/clip.js'
import { createOptimizer, type OptimizerOptions } from '../../src/optim/optimizer.js'
import { type ScheduleName, scheduleFactor } from '../../src/optim/schedule.js'
import { type DType, f32, f64, requiresGrad, scope, setGrad } from '../../src/tensor/index.js'
import { maxDifference } from '../fixtures.js'
import { relative } from '../helpers/numbers.js'
import { type Check, json, parity } from './parity.js'

interface ScheduleCase {
  name: ScheduleName
  peak_lr: number
  warmup: number
  total: number
  kwargs: Record<string, number>
  lr: number[]
}

parity('optim/schedules.json', (check) => {
  for (const c of json<{ cases: ScheduleCase[] }>('optim/schedules.json').cases) {
    const schedule = { ...camelKeys(c.kwargs), name: c.name, warmupSteps: c.warmup, totalSteps: c.total }
    const rates = c.lr.map((_, step) => c.peak_lr * scheduleFactor(schedule, c.peak_lr, step))
    const where = `${c.name} ${JSON.stringify(c.kwargs)} warm-up ${c.warmup}`
    check('learning rate', maxDifference(rates, c.lr), 1e-15, where)
  }
})

interface Values {
  w: number[][]
  b: number[]
}
interface Trajectory {
  name: string
  params: {
    lr: number
    clip?: number | null
    betas: [number, number]
    eps: number
    alpha: number
    momentum: number
    weight_decay: number | { w: number; b: number }
    schedule?: { name: ScheduleName; warmup: number; total: number }
  }
  init: Values
  grads: Values[]
  steps: (Values & { lr: number; norm_before_clip: number | null })[]
}

function optionsOf({ name, params }: Trajectory): OptimizerOptions {
  const { weight_decay: decay, eps: epsilon, betas, alpha, momentum } = params
  const grouped = typeof decay === 'object'
  const weightDecay = grouped ? decay.w : decay
  if (name.startsWith('rmsprop')) return { name: 'rmsprop', alpha, epsilon }
  if (name.startsWith('sgd')) return { name: 'sgd', momentum, weightDecay }
  const decayOn = grouped ? 'matrices' : 'all'
  return { name: 'adamw', beta1: betas[0], beta2: betas[1], epsilon, weightDecay, decayOn }
}

function follow(trajectory: Trajectory, dtype: DType, tolerance: number, check: Check): void {
  const { params, init, grads, steps } = trajectory
  const make = dtype === 'f64' ? f64 : f32
  scope(() => {
    const w = requiresGrad(make(init.w.flat(), [4, 3]))
    const b = requiresGrad(make(init.b, [5]))
    const optimizer = createOptimizer(Object.entries({ w, b }), optionsOf(trajectory))
    let [worst, worstNorm] = [0, 0]
    steps.forEach((expected, t) => {
      setGrad(w, make(grads[t].w.flat(), [4, 3]))
      setGrad(b, make(grads[t].b, [5]))
      const norm = clipGradients([w, b], params.clip ?? 0)
      if (expected.norm_before_clip !== null)
        worstNorm = Math.max(worstNorm, maxDifference([norm], [expected.norm_before_clip]))
      const { name, warmup = 0, total = 0 } = params.schedule ?? {}
      const schedule = { name: name ?? 'constant', warmupSteps: warmup, totalSteps: total }
      optimizer.step(params.lr * scheduleFactor(schedule, params.lr, t))
      // Of numbers of 2 and more, f32 keeps 2e-7: what torch.optim loses as well counts by the size of the tensor.
      worst = Math.max(worst, relative(w.numbers(), expected.w.flat()), relative(b.numbers(), expected.b))
    })
    optimizer.dispose()
    check(`${dtype} parameters`, worst, tolerance, trajectory.name)
    if (params.clip) check(`${dtype} norm`, worstNorm, 10 * tolerance, trajectory.name)
  })
}

parity('optim/trajectories.json', (check) => {
  for (const trajectory of json<{ cases: Trajectory[] }>('optim/trajectories.json').cases) {
    follow(trajectory, 'f64', 1e-12, check)
    follow(trajectory, 'f32', 1e-6, check)
  }
})
