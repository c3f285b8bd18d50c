/** The starter world: questions, answers and a true reward, all of them made. */
export {
  type AnswerPrompts,
  createWorld,
  oracle,
  type ProbeFact,
  type ProbeReport,
  probe,
  probeFacts,
  type World,
  type WorldOptions,
  writeWorld,
} from '../world/index.js'
