/** A seeded source of randomness for operators that draw. */
import { native } from './native.js'
import { type Tensor, wrap } from './tensor.js'

export class Generator {
  private raw: number | undefined

  constructor(seed: number) {
    this.raw = native().createGenerator(seed)
  }

  get handle(): number {
    if (this.raw === undefined) throw new Error('this generator was disposed')
    return this.raw
  }

  /** The whole state as bytes [u8]. */
  state(): Tensor {
    return wrap(native().generatorState(this.handle), 'generatorState')
  }

  restore(state: Tensor): void {
    wrap(native().generatorState(this.handle, state.handle), 'generatorState').dispose()
  }

  dispose(): void {
    if (this.raw !== undefined) native().dropGenerator(this.raw)
    this.raw = undefined
  }
}
