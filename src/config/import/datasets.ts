/** Datasets as other tools name them: hub names with splits, local files, registries. */
import type { Values } from './rule.js'

export interface Named {
  path: string
  /** Such as `train`, `train_prefs`, `train[:90%]`. */
  split?: string
  /** A subset of the repository. */
  config?: string
  files?: string[]
}

const isHub = (path: string) =>
  /^[\w.-]+\/[\w.-]+$/.test(path) && !/\.(jsonl?|csv|parquet|gz|zst)$/i.test(path)

/** As train_dataset or eval_dataset takes it; `lost` says what of it has no equivalent. */
export function datasetText(
  { path, split, config, files }: Named,
  usual: string,
): { texts: string[]; lost?: string } {
  if (files && files.length > 0) {
    const texts = isHub(path) ? files.map((file) => `${path}:${file}`) : files
    return { texts }
  }
  if (!isHub(path)) return { texts: [path] }
  if (config !== undefined && config !== 'default') {
    const lost = `the subset "${config}" of ${path}: name its files, ${path}:path`
    return { texts: [path], lost }
  }
  const [name, slice] = /^(\w+)(\[.*\])?$/.exec(split ?? usual)?.slice(1) ?? [usual]
  const lost =
    slice === undefined
      ? undefined
      : `the slice ${slice} of ${path}: all of the split is used; see max_samples`
  return { texts: [name === usual ? path : `${path}:**/*${name}*`], lost }
}

/** Texts of many; one text stays alone. */
export function joinDatasets(
  key: string,
  named: readonly Named[],
  usual: string,
): { set: Values; miss?: string } {
  const found = named.map((entry) => datasetText(entry, usual))
  const texts = [...new Set(found.flatMap((entry) => entry.texts))]
  const lost = found.flatMap((entry) => entry.lost ?? [])
  return {
    set: { [key]: texts.length === 1 ? texts[0] : texts },
    ...(lost.length > 0 ? { miss: lost.join('; ') } : {}),
  }
}
