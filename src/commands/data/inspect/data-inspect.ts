/** `clha data inspect`: what a data set consists of, in one reading and bounded memory. */
import type { Options } from '../../../config/options.js'
import { formatFault, type ReadFault } from '../../../data/read/row-fault.js'
import { createSurvey, type Survey } from '../../../inspect/survey.js'
import { openTokenizer } from '../../../load/open-tokenizer.js'
import type { Ui } from '../../../terminal/ui.js'
import { openData, type ReadingOptions } from '../data-source.js'
import { withLengths } from '../token-lengths.js'
import type { InspectResult } from './inspect-result.js'
import { showSurvey } from './say-survey.js'

export interface InspectOptions
  extends ReadingOptions,
    Pick<Options, 'tokenizerNameOrPath' | 'modelNameOrPath' | 'chatTemplate'> {
  data: readonly string[]
  /** Rows shown as examples. */
  examples: number
  /** List every row that can't be used. */
  bad: boolean
}

/** @throws ClhaError (exit 2) for data or a tokenizer that can't be read */
export async function dataInspect(options: InspectOptions, ui: Ui): Promise<InspectResult> {
  const reader = await openTokenizer(options, ui)
  const source = await openData(options.data, options, ui)
  const survey = createSurvey({ examples: options.examples })
  const examples = source.examples(undefined, (fault) =>
    addFault(fault, survey, options.bad ? ui : undefined),
  )
  for await (const { example, lengths } of withLengths(examples, reader)) survey.add(example, lengths)
  const counts = source.counts()
  const result: InspectResult = {
    ...counts,
    sources: Object.entries(counts.sources).map(([name, rows]) => ({ name, rows })),
    distinctPrompts: counts.kept - counts.duplicatePrompts,
    ...survey.result(),
    ...(reader && { tokenizer: reader.tokenizer.dir, template: reader.template.name }),
  }
  showSurvey(result, options, ui)
  return result
}

function addFault(fault: ReadFault, survey: Survey, ui?: Ui): void {
  survey.fault(fault)
  ui?.line(`${fault.code}  ${formatFault(fault)}`)
}
