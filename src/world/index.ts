/** The starter world: a seeded, made-up preference data set whose truth is known, to learn and to measure with. */
export type { Annotator } from './annotators.js'
export type { AnswerLabel } from './answers.js'
export { createWorld, type ProbeFact, type Truth, type World, type WorldOptions } from './make-world.js'
export { oracle, type Verdict } from './oracle.js'
export { type AnswerPrompts, type ProbeFigures, type ProbeReport, probe, probeFacts } from './probe.js'
export { writeWorld } from './write.js'
