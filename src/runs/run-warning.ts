/** A warning that a row of metrics raised, as it stands in metrics.jsonl. */

export interface RunWarning {
  /** What kind it is, such as `displacement`. */
  cause: string
  /** The metric that raised it, and its value then. */
  metric: string
  value: number
  text: string
  /** What helps. */
  advice: string
}
