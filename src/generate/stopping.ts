/** Where an answer's text ends: at the first stop text; and how much of it can be shown while it grows. */

export interface FinishedText {
  /** The text, cut at the first stop text. */
  text: string
  /** A stop text was found. */
  stopped: boolean
  /** The part that later tokens can't change any more. */
  certain: string
}

/** @param final no more tokens will come */
export function finishedText(text: string, stops: readonly string[], final: boolean): FinishedText {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  if (found.length > 0) {
    const cut = text.slice(0, Math.min(...found))
    return { text: cut, stopped: true, certain: cut }
  }
  return {
    text,
    stopped: false,
    certain: final ? text : text.slice(0, text.length - unsureTail(text, stops)),
  }
}

/** Characters at the end that may become a stop text, or are half of a character. */
function unsureTail(text: string, stops: readonly string[]): number {
  let tail = /�+$/.exec(text)?.[0].length ?? 0
  for (const stop of stops) {
    for (let n = Math.min(stop.length - 1, text.length); n > tail; n--) {
      if (text.endsWith(stop.slice(0, n))) tail = n
    }
  }
  return tail
}
