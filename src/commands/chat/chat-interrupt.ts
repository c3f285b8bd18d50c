/** Ctrl-C in a chat: it ends the answer that is being given; when none is, it leaves. */

export interface Interrupts {
  /** Whether the answer that began last is to end. */
  interrupted(): boolean
  /** An answer begins or has ended. */
  answering(is: boolean): void
  /** Settles when the chat is to be left. */
  left: Promise<void>
  close(): void
}

/**
 * Takes Ctrl-C (SIGINT) from whoever has it until `close`. Other signals only leave.
 * @param source where signals come from: the process, but for tests
 */
export function chatInterrupts(source: NodeJS.EventEmitter = process): Interrupts {
  const before = source.rawListeners('SIGINT')
  source.removeAllListeners('SIGINT')
  let busy = false
  let stop = false
  let leave = () => {}
  const left = new Promise<void>((resolve) => {
    leave = resolve
  })
  const onInterrupt = () => {
    if (busy && !stop) stop = true
    else leave()
  }
  const onEnd = () => {
    stop = true
    leave()
  }
  source.on('SIGINT', onInterrupt)
  source.on('SIGTERM', onEnd)
  source.on('SIGHUP', onEnd)
  return {
    left,
    interrupted: () => stop,
    answering(is) {
      busy = is
      stop = false
    },
    close() {
      source.off('SIGINT', onInterrupt)
      source.off('SIGTERM', onEnd)
      source.off('SIGHUP', onEnd)
      for (const listener of before) source.on('SIGINT', listener as () => void)
    },
  }
}
