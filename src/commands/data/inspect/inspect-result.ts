/** What `clha data inspect` counts. */
import type { ReadCounts } from '../../../data/read/stream-examples.js'
import type { SurveyResult } from '../../../inspect/survey.js'

export interface InspectResult extends Omit<ReadCounts, 'sources'>, SurveyResult {
  /** A list, so that names stay as they are in JSON. */
  sources: { name: string; rows: number }[]
  /** Different prompts. */
  distinctPrompts: number
  /** Folder of the tokenizer that counted. */
  tokenizer?: string
  template?: string
}
