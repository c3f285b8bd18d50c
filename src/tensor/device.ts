/** The device that tensors are made on. One process computes on one. */
import { usageError } from '../errors.js'
import { native } from './native.js'

let current = 'cpu'

/** Where tensors are made: `cpu`, `cuda:0`, … */
export const currentDevice = (): string => current

/**
 * From here on tensors are made there; those that exist stay where they are. `meta` has shapes and no numbers: every
 * operator runs on it, and those that would mix devices throw.
 * @throws Error for a name that libtorch does not know
 */
export function useDevice(name: string): void {
  native().releaseMany([native().allocate([0], 6, name)])
  current = name === 'cuda' ? 'cuda:0' : name
}

/** Called before a GPU is looked for: from then on every operator is waited for, so that its time is seen. */
export function waitForOperators(): void {
  process.env.CUDA_LAUNCH_BLOCKING = '1'
}

/** Whether half precision is multiplied faster than f32 here, and mixed precision takes all it can to it. */
export const halvesAreFast = (): boolean => current !== 'cpu'

/**
 * The device of a setting: `auto` is the first GPU where libtorch sees one, else the CPU.
 * @throws ClhaError (exit 2) for a GPU that is not there, with the way to get it
 */
export function chooseDevice(setting: string, { cuda, devices } = native().engine()): string {
  if (setting === 'cpu' || (setting === 'auto' && devices.length === 0)) return 'cpu'
  const index = Number(/^cuda:(\d+)$/.exec(setting)?.[1] ?? 0)
  if (index < devices.length) return `cuda:${index}`
  if (devices.length > 0)
    throw usageError(
      `device: ${setting}: libtorch sees ${devices.length} GPU${devices.length > 1 ? 's, up to' : ','} cuda:${devices.length - 1}`,
      'name one of them; CUDA_VISIBLE_DEVICES decides which are seen',
    )
  if (cuda)
    throw usageError(
      `device: ${setting}: libtorch has CUDA, but sees no GPU`,
      'nvidia-smi shows whether the driver works, CUDA_VISIBLE_DEVICES may hide it; device: cpu computes without',
    )
  throw usageError(
    `device: ${setting}: this libtorch computes on the CPU only`,
    'clha setup --accept-cuda-wheel fetches the CUDA build (several GB); LIBTORCH names one that is there',
  )
}

/** For people: `CPU`, or the GPU's name, memory and place. */
export function deviceLabel(device: string, { devices } = native().engine()): string {
  const found = devices[Number(/^cuda:(\d+)$/.exec(device)?.[1] ?? -1)]
  if (!found) return device === 'cpu' ? 'CPU' : device
  const memory = found.bytes > 0 ? `, ${(found.bytes / 1e9).toFixed(0)} GB` : ''
  return `${found.name}${memory} (${device})`
}

/** What generated operators hand to libtorch: the device that is named, else the current one. */
export const placed = (device: string | null | undefined): string | null | undefined =>
  device ?? (current === 'cpu' ? device : current)
