/** Losses: scores of answers and lists of contrasts to a number and its gradient. */
export { type BradleyTerryOptions, bradleyTerryLoss } from '../losses/bradley-terry.js'
export { CLHA_DEFAULTS, type ClhaOptions, clhaDenominators, clhaLoss } from '../losses/clha.js'
export { sftDenominators, sftLoss } from '../losses/sft.js'
export type * from '../losses/types.js'
