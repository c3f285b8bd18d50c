/** Every operator that libtorch runs while a profile is taken, from the recorder in the addon. */
import { operator } from '../../tensor/call.js'

export interface OperatorEvent {
  /** Such as `aten::mm`; a node of the backward pass has its own name, such as `MmBackward0`. */
  name: string
  /** Milliseconds since the recording began. */
  start: number
  duration: number
  /** The part of `duration` outside the operators inside this one. */
  self: number
  /** Bytes of results that are not views of its inputs, or of what ran inside where that is more. */
  bytes: number
  /** 0: called from TypeScript, or a node of the backward pass. */
  depth: number
  backward: boolean
}

const start = operator('clha::profile_start', '')
const stop = operator('clha::profile_stop', '')

const FIELDS = 7
const NANOSECONDS = 1e-6

/** @returns ends the recording and gives its events, in the order in which they ended */
export function recordOperators(): () => OperatorEvent[] {
  start([])
  return () => {
    const [names, numbers] = stop([]) as [string[], number[]]
    const plain = names.map(shortName)
    return Array.from({ length: numbers.length / FIELDS }, (_, i) => {
      const [name, began, duration, self, bytes, depth, backward] = numbers.slice(
        i * FIELDS,
        (i + 1) * FIELDS,
      )
      return {
        name: plain[name],
        start: began * NANOSECONDS,
        duration: duration * NANOSECONDS,
        self: self * NANOSECONDS,
        bytes,
        depth,
        backward: backward !== 0,
      }
    })
  }
}

/** Without what autograd's engine and C++ put around a name. */
const shortName = (name: string): string =>
  name
    .replace('autograd::engine::evaluate_function: ', '')
    .replace(/^torch::autograd::CppNode<(.*)>$/, '$1')
    .replaceAll('(anonymous namespace)::', '')
