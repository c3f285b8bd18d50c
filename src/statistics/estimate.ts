/** A measured number with what is known of its uncertainty. */

export type Interval = [low: number, high: number]

/** `interval` is 95 % unless a note says otherwise; `value: null` = not measured. */
export interface Estimate {
  value: number | null
  interval?: readonly [low: number, high: number]
}

/** A number that was measured; its interval may be missing. */
export interface MeanEstimate extends Estimate {
  value: number
  interval?: Interval
}

/** An estimate of which both are known. */
export interface Measured extends MeanEstimate {
  interval: Interval
}

/** An interval of a share ends where shares end. */
export const withinShares = ({ value, interval }: Estimate): Estimate => ({
  value,
  ...(interval && { interval: [Math.max(0, interval[0]), Math.min(1, interval[1])] }),
})
