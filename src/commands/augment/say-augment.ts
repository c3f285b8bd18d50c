/** What came of augmenting, as people read it. */
import { count } from '../../show/units.js'
import type { JoinCounts } from '../../stations/sample/join-answers.js'
import type { Ui } from '../../terminal/ui.js'

export function sayCounts(
  ui: Ui,
  { answers, empty, duplicates, cut, kept, unwritten }: JoinCounts & { unwritten: number },
): void {
  const { data, sampled } = duplicates
  const left = [
    empty > 0 ? `${count(empty)} empty` : '',
    data > 0 ? `${count(data)} that the data has` : '',
    sampled > 0 ? `${count(sampled)} that came before` : '',
    unwritten > 0 ? `${count(unwritten)} of rows that are not in the file` : '',
  ].filter((part) => part !== '')
  ui.line(
    `${count(kept)} of ${count(answers)} answers are new candidates${left.length > 0 ? ` · left out: ${left.join(', ')}` : ''}`,
  )
  if (cut > 0)
    ui.warn(`${count(cut)} of them end at max_new_tokens`, 'raise max_new_tokens, or they teach to break off')
}
