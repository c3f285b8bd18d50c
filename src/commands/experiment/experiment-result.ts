/** What `clha experiment` comes to. */

export interface ExperimentResult {
  outputDir: string
  cells: number
  /** Cells with figures, those of earlier runs among them. */
  finished: number
  failed: number
  stopped: boolean
  /** Path of the HTML page. */
  report?: string
}
