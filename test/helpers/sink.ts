/** A stream that keeps what is written to it. */
import { Writable } from 'node:stream'

export class Sink extends Writable {
  text = ''
  override _write(chunk: Buffer, _: unknown, done: () => void) {
    this.text += chunk
    done()
  }
}
