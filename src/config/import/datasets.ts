/** Datasets as other tools name them: hub names with splits, local files, registries. */
import { list, type Outcome, type Values } from './rule.js'

export interface Named {
  path: string
  /** Such as `train`, `train_prefs`, `train[:90%]`. */
  split?: string
  /** A subset of the repository. */
  config?: string
  files?: string[]
  /** Of its rows, such as `chat_template`: what they are is recognised by itself. */
  type?: string
  /** What else an entry says, such as how its columns are called. */
  other?: Values
}

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** A list of paths or of `{path, name, split, data_files}`; what kind of file it is shows by itself. */
export const namedEntries = (value: unknown): Named[] =>
  list(value ?? []).map((entry) => (typeof entry === 'string' ? { path: entry } : entryOf(entry as Values)))

const entryOf = ({ path, name, split, data_files, ds_type, type, ...other }: Values): Named => ({
  path: String(path),
  config: text(name),
  split: text(split),
  files: data_files == null ? undefined : list(data_files).map(String),
  type: text(type),
  other: text(type) === undefined ? { type, ...other } : other,
})

const isHub = (path: string) =>
  /^[\w.-]+\/[\w.-]+$/.test(path) && !/\.(jsonl?|csv|parquet|gz|zst)$/i.test(path)

/** As train_dataset or eval_dataset takes it; `lost` says what of it has no equivalent. */
export function datasetText(
  { path, split, config, files, other = {} }: Named,
  usual: string,
): { texts: string[]; lost: string[] } {
  const [name, slice] = /^(\w+)(\[.*\])?$/.exec(split ?? usual)?.slice(1) ?? [usual]
  const columns = Object.entries(other).flatMap(([key, value]) =>
    value == null ? [] : `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const isWhole = !isHub(path) || (files !== undefined && files.length > 0)
  const lost = [
    ...(isWhole && !['train', usual].includes(name)
      ? [`the split ${name} of ${path}: all rows are used`]
      : []),
    ...(slice === undefined ? [] : [`the slice ${slice} of ${path}: all of it is used; see max_samples`]),
    ...(columns.length === 0
      ? []
      : [`${columns.join(', ')} of ${path}: columns are recognised by their names (clha data inspect)`]),
  ]
  if (files && files.length > 0)
    return { texts: isHub(path) ? files.map((file) => `${path}:${file}`) : files, lost }
  if (!isHub(path)) return { texts: [path], lost }
  if (config !== undefined && config !== 'default') {
    const subset = `the subset "${config}" of ${path}: name its files, ${path}:path`
    return { texts: [path], lost: [subset, ...lost] }
  }
  return { texts: [name === usual ? path : `${path}:**/*${name}*`], lost }
}

/** Texts of many; one text stays alone. */
export function joinDatasets(key: string, named: readonly Named[], usual: string): Outcome {
  const found = named.map((entry) => datasetText(entry, usual))
  const texts = [...new Set(found.flatMap((entry) => entry.texts))]
  const lost = found.flatMap((entry) => entry.lost)
  const types = [...new Set(named.flatMap(({ type }) => type ?? []))]
  return {
    set: { [key]: texts.length === 1 ? texts[0] : texts },
    ...(lost.length > 0 ? { miss: lost.join('; ') } : {}),
    ...(types.length > 0 ? { drop: `type ${types.join(', ')}: columns are recognised by themselves` } : {}),
  }
}
