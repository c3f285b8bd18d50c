/** The date that chat templates write: of a run it is frozen, so that it reads the same when it is resumed. */

let frozen: Date | undefined

/** What `strftime_now` speaks of: the frozen date, else now. */
export const templateDate = (): Date => frozen ?? new Date()

/** From here on every template of this process writes this date; without one, the present again. */
export function freezeTemplateDate(date: Date | undefined): void {
  frozen = date
}
