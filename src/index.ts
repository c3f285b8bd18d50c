/// <reference types="node" preserve="true" />
/**
 * The library: every command as a function, and the parts they are made of.
 * Importing it starts nothing; the engine is loaded when the first tensor is made.
 */
export * from './public/commands.js'
export * from './public/comparing.js'
export * from './public/data.js'
export * from './public/losses.js'
export * from './public/models.js'
export * from './public/rescoring.js'
export * from './public/tensors.js'
export * from './public/training.js'
export * from './public/world.js'
