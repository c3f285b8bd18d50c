/** What an alignment ends with. */
import type { TrainResult } from '../../stations/fit/train-result.js'

export interface AlignResult extends TrainResult {
  /** Path of the HTML report. */
  report?: string
}
