/** What a training of any kind comes to. */

export interface TrainResult {
  outputDir: string
  /** Folder of the model that came out: the best or the last checkpoint. */
  model: string
  /** Optimizer steps made. */
  steps: number
  /** A signal ended it before its time; it can be resumed. */
  stopped: boolean
  metrics: Record<string, number>
}
