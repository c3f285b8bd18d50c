/** Values from those who push them to the one who awaits them. */

export interface EventQueue<T> extends AsyncIterable<T> {
  push(value: T): void
  /** Nothing more comes. */
  end(): void
}

export function eventQueue<T>(): EventQueue<T> {
  const values: T[] = []
  let ended = false
  let wake = () => {}
  return {
    push(value) {
      values.push(value)
      wake()
    },
    end() {
      ended = true
      wake()
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (values.length > 0) yield values.shift() as T
        if (ended) return
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
