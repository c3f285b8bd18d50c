/** In what runs differ: what each has of a thing, where not all have the same. */
import type { RunSummary } from '../../runs/find-runs.js'

export interface Difference {
  what: 'setting' | 'data' | 'version' | 'metric'
  name: string
  /** In the order of the runs; undefined where a run has none. */
  values: (string | number | undefined)[]
}

/** How fast, how large: of the machine, not of the model. */
const OF_THE_MACHINE = new Set([
  'tokens_per_second',
  'mfu',
  'tensors',
  'leaked_tensors',
  'memory_mib',
  'peak_memory_mib',
  'gpu_memory_mib',
  'peak_gpu_memory_mib',
])
/** They name the run itself. */
const OF_THE_PLACE = new Set(['output_dir', 'resume_from_checkpoint'])

/** Settings first, then data, versions and the last value of each metric. */
export function differences(runs: readonly RunSummary[]): Difference[] {
  const manifests = runs.map(({ manifest }) => manifest)
  const settings = manifests.map(({ config, kind }) => texts({ kind, ...config }, OF_THE_PLACE))
  const data = manifests.map(({ data: files }) =>
    Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256.slice(0, 12)])),
  )
  const versions = manifests.map(({ versions: all }) => texts(all))
  const metrics = runs.map(({ metrics: last }) =>
    Object.fromEntries(Object.entries(last).filter(([name]) => !OF_THE_MACHINE.has(name))),
  )
  return [
    ...differing('setting', settings),
    ...differing('data', data),
    ...differing('version', versions),
    ...differing('metric', metrics),
  ]
}

const texts = (values: Record<string, unknown>, without: ReadonlySet<string> = new Set()) =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name, value]) => value !== undefined && !without.has(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

function differing(what: Difference['what'], all: Record<string, string | number>[]): Difference[] {
  const names = [...new Set(all.flatMap((one) => Object.keys(one)))]
  return names
    .map((name) => ({
      what,
      name,
      values: all.map((one) => (Object.hasOwn(one, name) ? one[name] : undefined)),
    }))
    .filter(({ values }) => new Set(values).size > 1)
}
