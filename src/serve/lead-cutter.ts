/** Takes off the white space that a template puts before an answer, while the answer still comes in pieces. */

export interface LeadCutter {
  /** What of a piece can be shown. */
  take(piece: string): string
  /** What was held back, when no more comes. */
  rest(): string
}

export function leadCutter(lead: string): LeadCutter {
  let held: string | undefined = ''
  return {
    take(piece) {
      if (held === undefined) return piece
      held += piece
      if (held.length < lead.length && lead.startsWith(held)) return ''
      const shown = held.startsWith(lead) ? held.slice(lead.length) : held
      held = undefined
      return shown
    },
    rest() {
      const shown = held ?? ''
      held = undefined
      return shown
    },
  }
}
