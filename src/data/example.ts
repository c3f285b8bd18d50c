import type { Prompt } from '../dialogue.js'

export interface Candidate {
  /** The answer. Literal continuation when the prompt is literal text, else the assistant's content. */
  text: string
  /** A reward found in the data, in the unit of whatever made it. */
  reward?: number
  /** Where the answer came from: `chosen`, `rejected`, a model's name. */
  origin?: string
  /** A person's verdict on this answer alone (unpaired data: KTO, BCO). Absent where answers are compared. */
  desirable?: boolean
}

/** A human preferred candidate `better` to candidate `worse` (indices into `candidates`). */
export interface Preference {
  better: number
  worse: number
}

export interface Example {
  /** Unique in a data set: the row's own id, or `<file>:<row>`. */
  id: string
  prompt: Prompt
  candidates: Candidate[]
  preferences: Preference[]
  /** Subset name; calibration reports, gates and evaluation are given per source. */
  source: string
  /** Where the row stands. `row` counts from 1. */
  file: string
  row: number
}
