/** `clha data inspect`: what a data set consists of, in one reading and bounded memory. */
import type { Options } from '../../../config/options.js'
import { encodeExamples } from '../../../data/encode/encode.js'
import type { EncodedExample } from '../../../data/encode/encoded.js'
import type { Example } from '../../../data/example.js'
import { formatFault, type ReadFault } from '../../../data/read/row-fault.js'
import { createSurvey, type Survey, type TokenLengths } from '../../../inspect/survey.js'
import { openTokenizer, type TextReader } from '../../../load/open-tokenizer.js'
import type { Ui } from '../../../terminal/ui.js'
import { openData, type ReadingOptions } from '../data-source.js'
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

/** Examples that are tokenised together. */
const BATCH = 64
/** No limit: lengths are measured, not cut. */
const UNCUT = 2 ** 30

/** @throws ClhaError (exit 2) for data or a tokenizer that can't be read */
export async function dataInspect(options: InspectOptions, ui: Ui): Promise<InspectResult> {
  const reader = await openTokenizer(options, ui)
  const source = await openData(options.data, options, ui)
  const survey = createSurvey({ examples: options.examples })
  const add = adder(survey, reader)
  for await (const item of source.items()) {
    if (item.kind === 'example') await add.example(item.example)
    else addFault(item.fault, survey, options.bad ? ui : undefined)
  }
  await add.finish()
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

/** With a tokenizer, examples are held until there are enough for one call. */
function adder(survey: Survey, reader: TextReader | undefined) {
  let held: Example[] = []
  const flush = async () => {
    if (!reader || held.length === 0) return
    const { tokenizer, template } = reader
    const named = template.endToken !== undefined && tokenizer.specialTokens.has(template.endToken)
    const { encoded, kept } = await encodeExamples(held, tokenizer, template, {
      maxLength: UNCUT,
      endToken: named || tokenizer.eosId !== undefined,
    })
    const lengths = new Map(kept.map((at, i) => [at, encoded[i]]))
    for (const [i, example] of held.entries()) survey.add(example, lengthsOf(lengths.get(i)))
    held = []
  }
  return {
    async example(example: Example) {
      if (!reader) return survey.add(example)
      held.push(example)
      if (held.length >= BATCH) await flush()
    },
    finish: flush,
  }
}

/** Prompt tokens that the answers do not share count as the prompt's, as far as all answers have them. */
function lengthsOf(example: EncodedExample | undefined): TokenLengths | undefined {
  if (!example) return undefined
  const context = Math.min(...example.answers.map(({ scoredFrom }) => scoredFrom))
  return {
    prompt: example.promptIds.length + context,
    answers: example.answers.map(({ ids }) => ids.length - context),
  }
}
