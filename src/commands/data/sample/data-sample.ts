/** `clha data sample`: rows of at most some length, of them a number or a share, chosen by a hash of their content. */

import type { Options } from '../../../config/options.js'
import { type Choice, drawOf, lowest } from '../../../data/choose.js'
import { usageError } from '../../../errors.js'
import { openTokenizer, type TextReader } from '../../../load/open-tokenizer.js'
import { amount, count as counted } from '../../../show/units.js'
import type { Ui } from '../../../terminal/ui.js'
import type { WritingOptions } from '../convert/data-convert.js'
import { type DataReport, formatLike, withOutput } from '../data-output.js'
import { type DataSource, openData } from '../data-source.js'
import { type Measured, measuredOnce } from '../token-lengths.js'

/** Longest prompt and longest answer of a row, tokens of the model that reads them; every answer counts. */
export interface LengthLimits {
  maxPromptTokens?: number
  maxAnswerTokens?: number
}

export interface SampleOptions
  extends WritingOptions,
    LengthLimits,
    Partial<Pick<Options, 'tokenizerNameOrPath' | 'chatTemplate'>> {
  /** Rows; or `fraction`, a share of them. All of them where only lengths are limited. */
  count?: number
  fraction?: number
  seed: number
}

/**
 * The same rows are taken whatever their order is; a share keeps its rows when others are added.
 * @throws ClhaError (exit 2) when there are fewer rows than are wanted, or as `dataConvert`
 */
export async function dataSample(options: SampleOptions, ui: Ui): Promise<DataReport> {
  const { data, output, count, fraction, seed, maxPromptTokens, maxAnswerTokens, report, force } = options
  const limits = { maxPromptTokens, maxAnswerTokens }
  const reader = await readerFor(limits, options, ui)
  if (count !== undefined && fraction !== undefined)
    throw usageError('a sample takes a count or a fraction', 'Give either --count or --fraction.')
  if (count === undefined && fraction === undefined && !reader)
    throw usageError(
      'a sample needs a count, a fraction or a limit of length',
      'Give --count, --fraction, --max-prompt-tokens or --max-answer-tokens.',
    )
  const source = await openData(data, options, ui)
  const to = options.to ?? (await formatLike(source))
  const plan = {
    command: 'data sample',
    output,
    files: [output],
    report,
    force,
    options: { to, count, fraction, ...limits, seed },
  }
  return withOutput(plan, source, ui, async ({ write, drop }) => {
    const rows = measuredOnce(source.examples, reader)
    const choice =
      count === undefined
        ? { takes: (draw: number) => draw < (fraction ?? 1) }
        : await choose(source, count, rows(), { seed, limits })
    async function* taken() {
      let found = 0
      for await (const measured of rows('sampling', drop)) {
        const { example } = measured
        const { file, row, id } = example
        const long = tooLong(measured, limits)
        if (long) drop({ file, row, id, code: 'too_long', reason: long })
        else if (choice.takes(drawOf(example, seed))) {
          found++
          yield example
        } else drop({ file, row, id, code: 'not_sampled', reason: 'not drawn into the sample' })
      }
      if (found === 0) throw emptySample(source)
    }
    await write(output, to, taken())
  })
}

const emptySample = ({ names, counts }: DataSource) =>
  usageError(
    `${names.join(', ')}: the sample takes none of ${amount(counts().kept, 'row')}`,
    'Give a larger share, or wider limits of length.',
  )

async function readerFor(
  { maxPromptTokens, maxAnswerTokens }: LengthLimits,
  { tokenizerNameOrPath, chatTemplate }: SampleOptions,
  ui: Ui,
): Promise<TextReader | undefined> {
  const named = { tokenizerNameOrPath, modelNameOrPath: undefined, chatTemplate }
  const reader = await openTokenizer(named, ui)
  const isLimited = maxPromptTokens !== undefined || maxAnswerTokens !== undefined
  if (isLimited && !reader)
    throw usageError('lengths are counted in tokens of a model', 'Give its --tokenizer-name-or-path.')
  if (!isLimited && (reader || chatTemplate !== undefined))
    throw usageError(
      'tokenizer and template count lengths, and none is limited',
      'Give --max-prompt-tokens or --max-answer-tokens, or leave them out.',
    )
  return reader
}

/** Why a row is left out; undefined where it is short enough, or where no length is limited. */
function tooLong({ lengths }: Measured, { maxPromptTokens, maxAnswerTokens }: LengthLimits) {
  if (maxPromptTokens === undefined && maxAnswerTokens === undefined) return undefined
  if (!lengths) return "it can't be tokenised"
  const over = (what: string, tokens: number, most = Number.POSITIVE_INFINITY) =>
    tokens > most
      ? `the ${what} has ${amount(tokens, 'token')}, ${counted(most)} are wanted at most`
      : undefined
  return (
    over('prompt', lengths.prompt, maxPromptTokens) ??
    over('longest answer', Math.max(...lengths.answers), maxAnswerTokens)
  )
}

async function choose(
  source: DataSource,
  wanted: number,
  rows: AsyncIterable<Measured>,
  { seed, limits }: { seed: number; limits: LengthLimits },
): Promise<Choice> {
  const draws: number[] = []
  for await (const measured of rows)
    if (!tooLong(measured, limits)) draws.push(drawOf(measured.example, seed))
  if (draws.length >= wanted) return lowest(draws, wanted)
  throw usageError(
    `${source.names.join(', ')}: ${amount(draws.length, 'row')} can be used, ${counted(wanted)} are wanted`,
    'Take a smaller count.',
  )
}
