/**
 * Who frees a tensor, and when. Finalizers never run in a synchronous loop, so every tensor that an operator returns
 * belongs to the innermost scope and dies with it; what a scope's function returns moves one scope out.
 */
import { native } from './native.js'

/** The part of a tensor that scopes work on. */
export interface Scoped {
  readonly handle: number
  readonly madeBy: string
  /** Undefined once disposed. */
  rawHandle: number | undefined
  /** Owned tensors (parameters, moments, caches) outlive scopes. */
  owned: boolean
}

let current: Scoped[] | undefined
let leaked = 0
const leaks: string[] = []

/** Tensors outside of any scope are watched: one that the collector finds was forgotten by its owner. */
const forgotten = new FinalizationRegistry<{ handle: number; madeBy: string }>(({ handle, madeBy }) => {
  native().releaseMany([handle])
  leaked += 1
  if (leaks.length < 20) leaks.push(madeBy)
})

/** Hands a new tensor to the innermost scope. */
export function enter(tensor: Scoped): void {
  if (current) current.push(tensor)
  else watch(tensor)
}

function watch(tensor: Scoped): void {
  forgotten.register(tensor, { handle: tensor.handle, madeBy: tensor.madeBy }, tensor)
}

/** Frees tensors now. Using one afterwards throws. Disposing twice is harmless. */
export function dispose(...tensors: readonly (Scoped | undefined)[]): void {
  disposeAll(tensors)
}

/** A scope can hold more tensors than a call takes arguments. */
function disposeAll(tensors: readonly (Scoped | undefined)[]): void {
  const handles: number[] = []
  for (const tensor of tensors) {
    if (tensor?.rawHandle === undefined) continue
    handles.push(tensor.rawHandle)
    tensor.rawHandle = undefined
    forgotten.unregister(tensor)
  }
  if (handles.length > 0) native().releaseMany(handles)
}

/** Takes a tensor out of all scopes; whoever keeps it disposes it. */
export function keep<T extends Scoped>(tensor: T): T {
  if (!tensor.owned) {
    tensor.owned = true
    forgotten.unregister(tensor)
    watch(tensor)
  }
  return tensor
}

/**
 * Runs `fn`; frees every tensor made inside that it does not return (directly, or in arrays and plain objects).
 * @throws TypeError when `fn` returns a Promise: a scope is synchronous.
 * @example
 * ```ts
 * // The list of numbers is freed, their sum is not.
 * const sum = scope(() => ops.sum(f32([1, 2, 3])))
 * sum.item() // 6
 * ```
 */
export function scope<T>(fn: () => T): T {
  const outer = current
  const own: Scoped[] = []
  current = own
  const survivors = new Set<Scoped>()
  try {
    const result = fn()
    if (result instanceof Promise)
      throw new TypeError('scope() takes a synchronous function; it returned a Promise')
    collect(result, survivors, new Set())
    return result
  } finally {
    current = outer
    disposeAll(own.filter((t) => !t.owned && !survivors.has(t)))
    for (const tensor of own)
      if (!tensor.owned && survivors.has(tensor) && tensor.rawHandle !== undefined) enter(tensor)
  }
}

/** Tensors in arrays, maps and plain objects; `seen` ends the walk of a value that holds itself. */
function collect(value: unknown, into: Set<Scoped>, seen: Set<object>): void {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return
  if ('rawHandle' in value && 'owned' in value) {
    into.add(value as Scoped)
    return
  }
  if (seen.has(value)) return
  seen.add(value)
  if (Array.isArray(value)) for (const item of value) collect(item, into, seen)
  else if (value instanceof Map) for (const item of value.values()) collect(item, into, seen)
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const item of Object.values(value)) collect(item, into, seen)
  }
}

export interface MemoryCounters {
  /** Live tensor handles. */
  tensors: number
  /** Bytes of the distinct storages that they hold. */
  bytes: number
  peakBytes: number
  /** Tensors that the garbage collector had to free, and the operators that made the first of them. */
  leaked: number
  leaks: readonly string[]
}

export function memory(options: { resetPeak?: boolean } = {}): MemoryCounters {
  return { ...native().memory(options.resetPeak), leaked, leaks: [...leaks] }
}
