/** What `clha try-rescoring` finds. */
import type { NoiseTrial } from '../../rescore/try-noise.js'

/** One scorer at one level: the trials of all seeds. */
export interface NoiseCell {
  scorer: string
  level: number
  secondLabels: number
  trials: NoiseTrial[]
}
