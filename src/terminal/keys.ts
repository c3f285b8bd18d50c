/** Single keys from a terminal, as they are struck. */
import { StringDecoder } from 'node:string_decoder'

export interface Keys {
  /** The next key; an escape sequence (an arrow) is one key. Undefined when there are no more. */
  next(): Promise<string | undefined>
  close(): void
}

type KeySource = NodeJS.ReadableStream & { setRawMode?(raw: boolean): unknown; unref?(): unknown }

/** Takes the terminal out of its line mode until `close`. Ctrl-C is a key then (`\x03`), no signal. */
export function openKeys(source: KeySource = process.stdin): Keys {
  const decoder = new StringDecoder('utf8')
  const struck: string[] = []
  let waiting: ((key: string | undefined) => void) | undefined
  let ended = false
  const give = () => {
    if (!waiting || (struck.length === 0 && !ended)) return
    const resolve = waiting
    waiting = undefined
    resolve(struck.shift())
  }
  const onData = (chunk: Buffer | string) => {
    const text = typeof chunk === 'string' ? chunk : decoder.write(chunk)
    if (text.startsWith('\x1b')) struck.push(text)
    else struck.push(...text)
    give()
  }
  const onEnd = () => {
    ended = true
    give()
  }
  source.setRawMode?.(true)
  source.on('data', onData)
  source.on('end', onEnd)
  source.resume()
  return {
    next: () =>
      new Promise((resolve) => {
        waiting = resolve
        give()
      }),
    close() {
      source.off('data', onData)
      source.off('end', onEnd)
      source.setRawMode?.(false)
      source.pause()
      ended = true
      give()
    },
  }
}
