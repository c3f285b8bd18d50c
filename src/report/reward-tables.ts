/** Tables of a reward model held against labels. */
import type { RewardEvaluation } from '../evaluate/reward-evaluation.js'
import { percentCounted } from '../show/numbers.js'
import { numeric, type Table, text } from '../show/table.js'
import { count, percent } from '../show/units.js'

/** A row a category, all of them last. */
export function categoriesTable({ categories, accuracy }: RewardEvaluation): Table {
  const rows = categories.map((own) => [own.name, count(own.accuracy.total), percentCounted(own.accuracy)])
  const total = categories.length > 1 ? [['all', count(accuracy.total), percentCounted(accuracy)]] : []
  return {
    caption: 'Labels that the reward puts right',
    columns: [text('category'), numeric('labels'), numeric('accuracy')],
    rows: [...rows, ...total],
  }
}

const TITLES: Record<RewardEvaluation['benchmark'], string> = {
  pairs: 'Pairs',
  best_of_n: 'Best of n',
  reward_bench: 'RewardBench',
  reward_bench_2: 'RewardBench 2',
  rm_bench: 'RM-Bench',
}

/** The scores that a benchmark defines, its total last. */
export const benchmarkTable = ({ benchmark, scores }: RewardEvaluation): Table => ({
  caption: TITLES[benchmark],
  columns: [text('part'), numeric('prompts'), numeric('score')],
  rows: scores.map(({ name, count: prompts, value }) => [name, count(prompts), percent(value)]),
})
