/** Names of metrics as they stand in the log. */

/** What evaluations say of generated answers, behind `eval_generated/`. */
export const GENERATED_METRICS = ['length', 'repetition', 'entropy', 'kl', 'reward'] as const

/** The metric's name in the log, which `metric_for_best_model` may shorten. */
export const evalName = (metric: string): string => metric.replace(/^(?!eval_)/, 'eval_')
