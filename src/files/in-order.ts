/** Items that finish in another order than they began in, handed on in the first. */
export interface Ordered<T> {
  add(index: number, item: T): void
  /** Hands on what still waits for earlier ones that will not come. */
  flush(): void
}

/** Hands items on as soon as all earlier ones have been. */
export function inOrder<T>(emit: (item: T) => void): Ordered<T> {
  const waiting = new Map<number, T>()
  let next = 0
  return {
    add(index, item) {
      waiting.set(index, item)
      for (let found = waiting.get(next); found !== undefined; found = waiting.get(next)) {
        waiting.delete(next)
        next += 1
        emit(found)
      }
    },
    flush() {
      for (const index of [...waiting.keys()].sort((a, b) => a - b)) emit(waiting.get(index) as T)
      waiting.clear()
    },
  }
}
