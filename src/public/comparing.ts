/** Is it better? Comparing, judging and voting as functions, and the record that all three write. */
import { type CallOptions, called, type Settings } from '../commands/call.js'
import type { CompareResult } from '../commands/compare/compare.js'
import { compareCommand } from '../commands/compare/index.js'
import type { JudgeResult } from '../commands/judge/judge.js'
import type { VoteResult } from '../commands/vote/vote.js'
import { SECTION_KEYS } from '../config/sections.js'
import { usageError } from '../errors.js'
import { camelCase } from '../key-names.js'

export interface CompareSettings extends Settings {
  /** Runs, checkpoint or model folders, or files of answers; the first is the baseline. */
  systems: readonly string[]
  /** Files with verdicts of people or judges on these systems. */
  verdicts?: readonly string[]
}

/**
 * Systems side by side by every judge there is, as `clha compare`.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts
 * const rows = (answer: string) => `${JSON.stringify({ prompt: 'Which colour has snow?', answer })}\n`
 * writeFileSync('start.jsonl', rows('Black.'))
 * writeFileSync('mine.jsonl', rows('White, of course.'))
 * const { measures } = await compare({ systems: ['start.jsonl', 'mine.jsonl'], outputDir: 'compared' })
 * measures?.systems.mine['length.ratio'].value // 17 / 6
 * ```
 */
export const compare = (
  { systems, verdicts, config, ...settings }: CompareSettings,
  options?: CallOptions,
): Promise<CompareResult> =>
  called((ui) => compareCommand.call(settings, config, ui, { names: systems, verdicts }), options)

export interface JudgeSettings extends Settings {
  /** A file of answers for each system, or the file of a comparison. */
  answers: readonly string[]
  /** New comparison; verdicts are added as they come. */
  output?: string
  /** File of answers that are known to be good. */
  reference?: string
  /** Name of the judge in the record. */
  rater?: string
}

/**
 * A language model's verdicts on answers, as `clha judge`. Where `judge_max_cost` ended it, `left` is above 0.
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const answers = ['start.jsonl', 'mine.jsonl']
 * const { pairs } = await judge({ answers, output: 'verdicts.jsonl', judgeEndpoint: 'http://127.0.0.1:8000/v1' })
 * ```
 */
export function judge(
  { answers, config, ...settings }: JudgeSettings,
  options?: CallOptions,
): Promise<JudgeResult> {
  return called(async (ui) => {
    refuseOthers('judge', settings, ['output', 'reference', 'rater', ...SECTION_KEYS.judge.map(camelCase)])
    const { judge: run, judgeCall } = await import('../commands/judge/judge.js')
    const call = await judgeCall(config === undefined ? answers : [config, ...answers], settings)
    return (await run(call, ui)).result as JudgeResult
  }, options)
}

export interface VoteSettings {
  /** A file of answers for each system, or the file of a comparison that is gone on with. */
  answers: readonly string[]
  /** New comparison: the whole state of the vote. */
  output?: string
  raters?: readonly string[]
  /** File of pairs of which is known which is better. */
  gold?: string
  /** Up to four answers on a page are ranked. */
  rank?: boolean
  /** Share of the prompts that each rater sees again, 0 to 0.5. */
  repeats?: number
  host?: string
  port?: number
}

export interface VoteOptions extends CallOptions {
  /** Ends the vote; every vote so far is saved. */
  signal: AbortSignal
  /** Called once the page can be opened, with the link of each rater. */
  opened?(links: { rater: string; link: string }[]): void
}

/**
 * The page on which people vote, until the signal ends it, as `clha vote`.
 * @returns how far each rater came
 * @throws ClhaError: its `exitCode` says of what kind, its `hint` what to do
 * @example
 * ```ts no-run
 * const end = new AbortController()
 * const opened = (links: { link: string }[]) => console.log(links[0].link)
 * await vote({ answers: ['start.jsonl', 'mine.jsonl'], output: 'votes.jsonl' }, { signal: end.signal, opened })
 * ```
 */
export function vote(
  { answers, raters = [], ...settings }: VoteSettings,
  { signal, opened, ...options }: VoteOptions,
): Promise<VoteResult> {
  return called(async (ui) => {
    refuseOthers('vote', settings, ['output', 'gold', 'rank', 'repeats', 'host', 'port'])
    const { vote: run, voteCall } = await import('../commands/vote/vote.js')
    const call = await voteCall(answers, { ...settings, rater: raters })
    return run({ ...call, ended: () => signal.aborted, ...(opened && { opened }) }, ui)
  }, options)
}

function refuseOthers(command: string, given: object, known: readonly string[]): void {
  const other = Object.keys(given).find((name) => !known.includes(name))
  if (other !== undefined) throw usageError(`clha ${command} does not use ${other}`, 'remove it')
}

export { readComparison } from '../verdicts/comparison-file.js'
export { type FigureOptions, type VerdictFigures, verdictFigures } from '../verdicts/figures.js'
export type { Comparison, ComparisonItem, Verdict, VerdictRow } from '../verdicts/types.js'
export type { CompareResult, JudgeResult, VoteResult }
