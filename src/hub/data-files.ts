/** Which files of a dataset's repository hold the rows that are asked for. */
import { parse } from 'yaml'
import { usageError } from '../errors.js'
import { matching } from './glob.js'
import type { Select } from './snapshot.js'

/** What reads rows; everything else in a repository is text about them, code, or pickles. */
const DATA = /\.((jsonl|ndjson|json|csv|tsv)(\.(gz|zst))?|parquet)$/

const NOT_ROWS = /(^|\/)(dataset_infos?|dataset_dict|state)\.json$/

export type Split = 'train' | 'test'

/** Words that stand for a part of the data in names of files, folders and splits, the best first. */
const WORDS: Record<Split, readonly string[]> = {
  train: ['train', 'training'],
  test: ['test', 'testing', 'eval', 'evaluation', 'validation', 'valid', 'dev'],
}

/** Whether a name has the word as a part of its own: `train-00000-of-00001`, `data/train_prefs`, not `constrained`. */
const says = (name: string, words: readonly string[]) =>
  words.some((word) => new RegExp(`(^|[^a-z0-9])${word}([^a-z0-9]|$)`, 'i').test(name))

/**
 * The data files of a repository: those that `path` (a file, a folder or a pattern) names, else those of the split, as
 * the card's `configs` or the names of the files say it.
 * @param where names the repository in errors
 * @throws ClhaError (exit 2) where nothing fits, with what there is
 */
export const selectData =
  (where: string, split: Split, path?: string): Select =>
  async (names, read) => {
    const data = names.filter((name) => DATA.test(name) && !NOT_ROWS.test(name)).sort()
    if (path !== undefined) return named(where, names, data, path)
    if (data.length === 0) {
      const seen = names.filter((name) => !name.startsWith('.')).slice(0, 8)
      throw usageError(
        `${where}: has no data file that is read here`,
        `it holds ${seen.join(', ') || 'nothing'}`,
      )
    }
    const card = names.includes('README.md') ? splitsOfCard(where, await read('README.md')) : undefined
    return card ? fromCard(where, data, card, split) : fromNames(where, data, split)
  }

function named(where: string, names: readonly string[], data: readonly string[], path: string): string[] {
  const found = matching(data, path)
  if (found.length > 0) return found
  if (matching(names, path).length > 0) {
    throw usageError(
      `${where}: that is no data file that is read here`,
      'JSON Lines, JSON, CSV and Parquet are',
    )
  }
  throw usageError(`${where}: has no such file`, `it holds ${listed(data)}`)
}

interface CardSplit {
  split: string
  patterns: string[]
}

/** The splits that the card's front matter names; undefined where it names none. */
function splitsOfCard(where: string, card: string): CardSplit[] | undefined {
  const front = /^---\r?\n([\s\S]*?)\r?\n---/.exec(card)?.[1]
  let configs: unknown
  try {
    configs = front === undefined ? undefined : (parse(front) as { configs?: unknown } | null)?.configs
  } catch {
    return undefined
  }
  if (!Array.isArray(configs)) return undefined
  const all = configs as { config_name?: unknown; default?: unknown; data_files?: unknown }[]
  const chosen = all.find((c) => c.default === true) ?? all.find((c) => c.config_name === 'default') ?? all[0]
  const isOnly = all.length === 1 || chosen.default === true || chosen.config_name === 'default'
  if (!isOnly) {
    const names = all.map(
      (c) =>
        `${c.config_name}: ${filesOf(c.data_files)
          .flatMap((f) => f.patterns)
          .join(', ')}`,
    )
    throw usageError(
      `${where}: holds ${all.length} sets of data`,
      `name the files of one, ${where}:path\n${names.join('\n')}`,
    )
  }
  const files = filesOf(chosen.data_files)
  return files.length > 0 ? files : undefined
}

/** `data_files` is a pattern, a list of patterns, or a list of splits with theirs. */
function filesOf(value: unknown): CardSplit[] {
  return [value].flat().flatMap((entry): CardSplit[] => {
    if (typeof entry === 'string') return [{ split: 'train', patterns: [entry] }]
    const { split, path } = (entry ?? {}) as { split?: unknown; path?: unknown }
    const patterns = [path].flat().filter((p): p is string => typeof p === 'string')
    return patterns.length > 0 ? [{ split: String(split ?? 'train'), patterns }] : []
  })
}

function fromCard(
  where: string,
  data: readonly string[],
  card: readonly CardSplit[],
  split: Split,
): string[] {
  const names = [...new Set(card.map((entry) => entry.split))]
  const wanted = best(names, split)
  if (wanted.length !== 1) {
    const what =
      wanted.length === 0 ? `no split for ${split}` : `several splits for ${split}: ${wanted.join(', ')}`
    const ways = card.map((entry) => `${where}:${entry.patterns[0]}`).join(', ')
    throw usageError(`${where}: ${what}; it has ${names.join(', ')}`, `name the files: ${ways}`)
  }
  const patterns = card.filter((entry) => entry.split === wanted[0]).flatMap((entry) => entry.patterns)
  const files = [...new Set(patterns.flatMap((pattern) => matching(data, pattern)))].sort()
  if (files.length > 0) return files
  throw usageError(
    `${where}: its card names ${patterns.join(', ')}, which is not there`,
    `it holds ${listed(data)}`,
  )
}

/** Without words in the names, all files are training data, as the datasets library has it. */
function fromNames(where: string, data: readonly string[], split: Split): string[] {
  const wanted = best(data, split)
  if (wanted.length > 0) return wanted
  const silent = data.every((name) => !says(name, [...WORDS.train, ...WORDS.test]))
  if (silent && split === 'train') return [...data]
  throw usageError(
    `${where}: no file is named ${WORDS[split][0]}`,
    `name some, ${where}:path; it holds ${listed(data)}`,
  )
}

/** Of the words for a split the first that some name has decides: `test` before `validation`. */
function best(names: readonly string[], split: Split): string[] {
  for (const word of WORDS[split]) {
    const found = names.filter((name) => says(name, [word]))
    if (found.length > 0) return found.includes(word) ? [word] : found
  }
  return []
}

const listed = (data: readonly string[]): string =>
  `${data.slice(0, 8).join(', ')}${data.length > 8 ? ` and ${data.length - 8} more` : ''}`
