/** Training: what changes the weights. */
export { ADAMW_DEFAULTS, type AdamWOptions, createAdamW } from '../optim/adamw.js'
export { createOptimizer, type Optimizer, type OptimizerOptions } from '../optim/optimizer.js'
