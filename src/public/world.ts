/** The starter world: questions, answers and a true reward, all of them made. */
export { createWorld, oracle, type World, type WorldOptions, writeWorld } from '../world/index.js'
