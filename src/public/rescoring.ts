/** Rescoring: rewards and labels to pairs, weights and gates, and an audit of the labels. */
export { type AuditReport, auditReport } from '../rescore/audit.js'
export { type CalibrateOptions, type Calibration, calibrate } from '../rescore/calibrate.js'
export { lossLists } from '../rescore/loss-lists.js'
export { type Evidence, singleLabels } from '../rescore/noise/evidence.js'
export {
  type LegacyOptions,
  legacyDefaults,
  legacyRank,
  type RankOptions,
  rankDefaults,
  rankLists,
} from '../rescore/rank.js'
export type * from '../rescore/ranked.js'
export { readRankedJsonl, writeRankedJsonl } from '../rescore/ranked-jsonl.js'
export { type Rescored, type RescoreInput, type RescoreOptions, rescoreLists } from '../rescore/rescore.js'
export type { NoiseSettings } from '../rescore/reversed-labels.js'
export { type Believed, type NoiseTrial, tryNoise } from '../rescore/try-noise.js'
