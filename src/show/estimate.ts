/** A measured number with what is known of its uncertainty. */

/** `interval` is 95 % unless a note says otherwise; `value: null` = not measured. */
export interface Estimate {
  value: number | null
  interval?: readonly [low: number, high: number]
}
