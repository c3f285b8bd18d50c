/** Elo ratings, updated game by game: they depend on the order of the games, so reports rest on Bradley and Terry's instead. */

export interface Game {
  a: string
  b: string
  /** 1 where `a` won, 0 where `b` did, one half for a draw. */
  score: number
}

/** @param k most points that one game moves */
export function eloOnline(games: readonly Game[], k: number, start = 1000): Map<string, number> {
  const ratings = new Map<string, number>()
  for (const { a, b, score } of games) {
    const [ra, rb] = [ratings.get(a) ?? start, ratings.get(b) ?? start]
    const expected = 1 / (1 + 10 ** ((rb - ra) / 400))
    ratings.set(a, ra + k * (score - expected))
    ratings.set(b, rb - k * (score - expected))
  }
  return ratings
}

/** Points of the scale on which 400 mean odds of ten to one, around 1000. */
export const eloScale = (logits: number): number => 1000 + (400 / Math.LN10) * logits
