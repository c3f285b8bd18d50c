/** What an experiment's file says in vain: a value twice, a key where nothing reads it. */
import { SECTION_KEYS } from './sections.js'

export interface Mistake {
  path: (string | number)[]
  text: string
}

/** What is looked at of an experiment. */
interface Described {
  seeds: number[]
  noise?: number[]
  augmented: number[]
  world?: object
  base: Record<string, unknown>
  variants: Record<string, Record<string, unknown>>
}

/** Set by the experiment itself, in every cell. */
const OWN: Record<string, string> = {
  seed: 'the seeds are those of the list seeds',
  output_dir: 'every start has a folder of its own; name theirs with --output-dir',
  resume_from_checkpoint: 'an experiment always goes on',
  ...Object.fromEntries(SECTION_KEYS.rounds.map((key) => [key, 'a cell is trained in one round'])),
}

/** The starter world is the data. */
const DATA = ['train_dataset', 'eval_dataset', 'sft_dataset']

/** Keys that act in a cell's own rescoring, training and answers; all others act in the start that cells share. */
const OF_A_CELL: ReadonlySet<string> = new Set(
  [
    ...SECTION_KEYS.method,
    ...SECTION_KEYS.rescore,
    ...SECTION_KEYS.train,
    ...SECTION_KEYS.lora,
    ...SECTION_KEYS.generate,
    ...SECTION_KEYS.run,
    ...SECTION_KEYS.profile,
    ...['chat_template', 'dtype', 'load_in_8bit', 'load_in_4bit', 'threads'],
    ...['max_length', 'max_prompt_length', 'truncation', 'score_cache_dir'],
  ].filter((key) => key !== 'relabels'),
)

const KNOWN: ReadonlySet<string> = new Set(Object.values(SECTION_KEYS).flat())

/** Values that stand twice would count one cell as two observations; keys without effect would make twins of variants. */
export function mistakesIn({ seeds, noise = [], augmented, base, variants, world }: Described): Mistake[] {
  const twice = Object.entries({ seeds, noise, augmented }).flatMap(([key, values]) =>
    values.flatMap((value, i) =>
      values.indexOf(value) < i ? [{ path: [key, i], text: `${key}: ${value} stands there twice` }] : [],
    ),
  )
  const ofBase = Object.keys(base).flatMap((key) => {
    const why = OWN[key] ?? (world && DATA.includes(key) ? 'the starter world is the data' : undefined)
    return why === undefined ? [] : [{ path: ['base', key], text: `${key} has no effect: ${why}` }]
  })
  const ofVariants = Object.entries(variants).flatMap(([variant, keys]) =>
    Object.keys(keys).flatMap((key) => {
      const why =
        OWN[key] ??
        (OF_A_CELL.has(key) || !KNOWN.has(key)
          ? undefined
          : 'data, start model, reward models and judges are the same for all variants: set it in base')
      const text = `${key} has no effect in the variant ${variant}: ${why}`
      return why === undefined ? [] : [{ path: ['variants', variant, key], text }]
    }),
  )
  return [...twice, ...ofBase, ...ofVariants]
}
